import type { Geometry, Polygon, Position } from 'geojson';
import type { Map as MapLibre } from 'maplibre-gl';
import { useEffect, useRef, useState } from 'preact/hooks';
import { TerraDraw, TerraDrawPolygonMode, TerraDrawSelectMode } from 'terra-draw';
import { TerraDrawMapLibreGLAdapter } from 'terra-draw-maplibre-gl-adapter';
import { api } from '../api';
import { Field } from '../components/field';
import { Busy, Fault, Show } from '../components/states';
import { m2, signedM2 } from '../format';
import { t } from '../i18n';
import { useLoad } from '../load';
import { loadRecord, nameOf, type RecordFeature } from '../record/model';
import { extentOf } from './extent';
import { measure, type Place } from './measure';
import { cornersOf } from './ring';

/** Corners that nobody moved stay exactly where they were. */
const DIGITS = 15;

/** Redraws a record's outline: an edit like a tablet's, after which its review begins anew. */
export default function OutlineEditor(props: { map: MapLibre; id: string; onClose: () => void }) {
  const record = useLoad(`edit ${props.id}`, (signal) => loadRecord(props.id, signal), false);
  return (
    <div class="measuring editing" role="region" aria-label={t('edit.title')}>
      <Show of={record}>
        {(found) =>
          isSimple(found.geometry) ? (
            <Editor map={props.map} record={found} outline={found.geometry} onClose={props.onClose} />
          ) : (
            <>
              <p>{t('edit.not_simple')}</p>
              <button type="button" onClick={props.onClose}>
                {t('close')}
              </button>
            </>
          )
        }
      </Show>
    </div>
  );
}

/** One ring: what has parts or holes is work for a GIS. */
function isSimple(geometry: Geometry | null): geometry is Polygon {
  return geometry?.type === 'Polygon' && geometry.coordinates.length === 1;
}

const areaOf = (ring: Position[]) => measure(cornersOf(ring) as Place[]).area ?? 0;

/** The shape on the map, if it is finished and another than before: a corner that follows the pointer is nobody's. */
function finished(draw: TerraDraw, outline: Polygon): Polygon | null {
  const shapes = draw.getSnapshot().filter(({ geometry }) => geometry.type === 'Polygon');
  const [only] = shapes;
  if (!only || shapes.length > 1 || only.properties.currentlyDrawing) return null;
  const shape = only.geometry as Polygon;
  return JSON.stringify(shape.coordinates) === JSON.stringify(outline.coordinates) ? null : shape;
}

function begin(map: MapLibre, outline: Polygon, onChange: (outline: Polygon | null) => void): TerraDraw {
  const draw = new TerraDraw({
    adapter: new TerraDrawMapLibreGLAdapter({ map, coordinatePrecision: DIGITS }),
    modes: [
      new TerraDrawPolygonMode(),
      new TerraDrawSelectMode({
        flags: {
          polygon: {
            feature: { draggable: false, coordinates: { midpoints: true, draggable: true, deletable: true } },
          },
        },
      }),
    ],
  });
  draw.start();
  const [added] = draw.addFeatures([{ type: 'Feature', geometry: outline, properties: { mode: 'polygon' } }]);
  draw.setMode('select');
  if (added?.valid && added.id !== undefined) draw.selectFeature(added.id);
  const tell = () => onChange(finished(draw, outline));
  draw.on('change', tell);
  draw.on('finish', (id, { action }) => {
    // One outline is drawn: the next click mends it and begins no second one.
    if (action === 'draw') {
      draw.setMode('select');
      draw.selectFeature(id);
    }
    tell();
  });
  return draw;
}

interface Props {
  map: MapLibre;
  record: RecordFeature;
  outline: Polygon;
  onClose: () => void;
}

function Editor({ map, record, outline, onClose }: Props) {
  const [changed, setChanged] = useState<Polygon | null>(null);
  const [anew, setAnew] = useState(false);
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const draw = useRef<TerraDraw | null>(null);
  useEffect(() => {
    const container = map.getContainer();
    container.classList.add('busy-drawing');
    const extent = extentOf(outline);
    if (extent) map.fitBounds(extent, { padding: 140, maxZoom: 18, animate: false });
    draw.current = begin(map, outline, setChanged);
    return () => {
      draw.current?.stop();
      container.classList.remove('busy-drawing');
    };
  }, [map, outline]);
  const drawAnew = () => {
    draw.current?.clear();
    draw.current?.setMode('polygon');
    setChanged(null);
    setAnew(true);
  };
  const save = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setFault(undefined);
    try {
      await api.patch(
        `/v1/records/${record.id}`,
        { changes: { geometry: { to: changed } }, reason: reason.trim() || null },
        { headers: { 'if-match': `"${record.version}"` } },
      );
      onClose();
    } catch (thrown) {
      setFault(thrown);
      setBusy(false);
    }
  };
  const [before, after] = [outline, changed].map((known) => areaOf(known?.coordinates[0] ?? []));
  return (
    <form class="act" onSubmit={save}>
      <strong dir="auto">{t('edit.of', { name: nameOf(record) })}</strong>
      <p class="muted">{t('edit.hint')}</p>
      <p>
        {m2(before ?? 0)}
        {changed && ` → ${m2(after ?? 0)} (${signedM2((after ?? 0) - (before ?? 0))})`}
      </p>
      {anew && !changed && <p role="status">{t('edit.unfinished')}</p>}
      <Field label={t('act.reason')}>
        <input dir="auto" required value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
      </Field>
      {fault !== undefined && <Fault fault={fault} />}
      {busy && <Busy />}
      <div class="actions">
        <button type="submit" class="primary" disabled={busy || !changed}>
          {t('edit.save')}
        </button>
        <button type="button" onClick={drawAnew}>
          {t('edit.anew')}
        </button>
        <button type="button" onClick={onClose}>
          {t('cancel')}
        </button>
      </div>
    </form>
  );
}
