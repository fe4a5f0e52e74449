import type { Polygon } from 'geojson';
import type { Map as MapLibre } from 'maplibre-gl';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type GeoJSONStoreFeatures, TerraDraw, TerraDrawPolygonMode, TerraDrawSelectMode } from 'terra-draw';
import { TerraDrawMapLibreGLAdapter } from 'terra-draw-maplibre-gl-adapter';
import { api } from '../api';
import { Field } from '../components/field';
import { Busy, Fault, Show } from '../components/states';
import { m2, signedM2 } from '../format';
import { t } from '../i18n';
import { useLoad } from '../load';
import { loadRecord, nameOf, type RecordFeature } from '../record/model';
import { useUnsaved } from '../unsaved';
import { extentOf } from './extent';
import { areaOf, DIGITS, isOutline, type Outline, outlineOf, type Ring, ringsOf } from './outline';

/** Redraws a record's outline: an edit like a tablet's, after which its review begins anew. */
export default function OutlineEditor(props: { map: MapLibre; id: string; onClose: () => void }) {
  const record = useLoad(`edit ${props.id}`, (signal) => loadRecord(props.id, signal), false);
  // What it was begun with: whoever logs in again meanwhile goes on with it, and is told when others have moved on.
  const first = useRef(record.data);
  first.current ??= record.data;
  return (
    <div class="measuring editing" role="region" aria-label={t('edit.title')}>
      <Show of={{ ...record, data: first.current }}>
        {(found) =>
          isOutline(found.geometry) ? (
            <Editor map={props.map} record={found} outline={found.geometry} onClose={props.onClose} />
          ) : (
            <>
              <p>{t('edit.no_outline')}</p>
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

/** The rings on the map as an outline, if they are finished and others than before: a corner that follows the pointer is
 * nobody's. */
function finished(draw: TerraDraw, outline: Outline): Outline | null {
  const shapes = draw.getSnapshot().filter(({ geometry }) => geometry.type === 'Polygon');
  if (shapes.some(({ properties }) => properties.currentlyDrawing)) return null;
  const parts = shapes.map(({ properties }) => Number(properties.part ?? -1));
  let next = Math.max(-1, ...parts);
  const rings = shapes.map(({ geometry, properties }): Ring => {
    const places = (geometry as Polygon).coordinates[0] ?? [];
    return { part: Number(properties.part ?? ++next), hole: Number(properties.hole ?? 0), places };
  });
  const shape = outlineOf(rings, outline);
  const stood = outlineOf(ringsOf(outline), outline);
  return JSON.stringify(shape) === JSON.stringify(stood) ? null : shape;
}

/** A hole is nothing without the part that it was in. */
function dropHoles(draw: TerraDraw): void {
  const shapes = draw.getSnapshot().filter(({ geometry }) => geometry.type === 'Polygon');
  const shells = shapes.filter(({ properties }) => !properties.hole).map(({ properties }) => properties.part);
  const lost = shapes.filter(({ properties }) => properties.hole && !shells.includes(properties.part));
  // Taking nothing away is told as a change too.
  if (lost.length > 0) draw.removeFeatures(lost.flatMap(({ id }) => (id === undefined ? [] : [id])));
}

const isHole = ({ properties }: GeoJSONStoreFeatures) => Number(properties.hole ?? 0) > 0;

/** The rings to draw with; nothing where one of them cannot be, and would be lost unseen. */
function begin(
  map: MapLibre,
  outline: Outline,
  onChange: (outline: Outline | null) => void,
): TerraDraw | null {
  const fill = { plain: '#3f97e0', hole: '#ffffff' } as const;
  const colour = (ring: GeoJSONStoreFeatures) => (isHole(ring) ? fill.hole : fill.plain);
  const opacity = (ring: GeoJSONStoreFeatures) => (isHole(ring) ? 0.75 : 0.3);
  const draw = new TerraDraw({
    adapter: new TerraDrawMapLibreGLAdapter({ map, coordinatePrecision: DIGITS }),
    modes: [
      new TerraDrawPolygonMode({ styles: { fillColor: colour, fillOpacity: opacity } }),
      new TerraDrawSelectMode({
        styles: { selectedPolygonColor: colour, selectedPolygonFillOpacity: opacity },
        flags: {
          polygon: {
            feature: { draggable: false, coordinates: { midpoints: true, draggable: true, deletable: true } },
          },
        },
      }),
    ],
  });
  draw.start();
  const rings = ringsOf(outline);
  const added = draw.addFeatures(
    rings.map(({ part, hole, places }) => ({
      type: 'Feature',
      geometry: { type: 'Polygon', coordinates: [places] },
      properties: { mode: 'polygon', part, hole },
    })),
  );
  if (added.some(({ valid }) => !valid)) {
    draw.stop();
    return null;
  }
  draw.setMode('select');
  const [first] = added;
  if (first?.id !== undefined) draw.selectFeature(first.id);
  draw.on('change', (_, type) => {
    if (type === 'delete') dropHoles(draw);
    onChange(finished(draw, outline));
  });
  draw.on('finish', (id, { action }) => {
    // One ring is drawn: the next click mends it and begins no second one.
    if (action === 'draw') {
      draw.setMode('select');
      draw.selectFeature(id);
    }
    onChange(finished(draw, outline));
  });
  return draw;
}

/** Pixels around what is edited. */
const MARGIN = 60;

/** The margins of a map beside the panel that lies on it: on its left, in every language. */
function besides(panel: HTMLElement | null) {
  return { left: MARGIN + (panel?.offsetWidth ?? 0), right: MARGIN, top: MARGIN, bottom: MARGIN };
}

interface Props {
  map: MapLibre;
  record: RecordFeature;
  outline: Outline;
  onClose: () => void;
}

function Editor({ map, record, outline, onClose }: Props) {
  const [changed, setChanged] = useState<Outline | null>(null);
  const [drawing, setDrawing] = useState(false);
  const [refused, setRefused] = useState(false);
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const { sent } = useUnsaved(drawing || changed !== null);
  const draw = useRef<TerraDraw | null>(null);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    const container = map.getContainer();
    container.classList.add('busy-drawing');
    // A narrow map has grown by the record's panel, which gives way to this.
    map.resize();
    const extent = extentOf(outline);
    if (extent) map.fitBounds(extent, { padding: besides(form.current), maxZoom: 18, animate: false });
    draw.current = begin(map, outline, setChanged);
    setRefused(!draw.current);
    return () => {
      draw.current?.stop();
      container.classList.remove('busy-drawing');
    };
  }, [map, outline]);
  const drawMore = () => {
    draw.current?.setMode('polygon');
    setChanged(draw.current && finished(draw.current, outline));
    setDrawing(true);
  };
  const drawAnew = () => {
    draw.current?.clear();
    drawMore();
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
      sent();
      onClose();
    } catch (thrown) {
      setFault(thrown);
      setBusy(false);
    }
  };
  const [before, after] = [areaOf(outline), changed ? areaOf(changed) : 0];
  return (
    <form ref={form} class="act" onSubmit={save}>
      <strong dir="auto">{t('edit.of', { name: nameOf(record) })}</strong>
      <p class="muted">{t(refused ? 'edit.refused' : 'edit.hint')}</p>
      <p>
        {m2(before)}
        {changed && ` → ${m2(after)} (${signedM2(after - before)})`}
      </p>
      {drawing && !changed && <p role="status">{t('edit.unfinished')}</p>}
      <Field label={t('act.reason')}>
        <input dir="auto" required value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
      </Field>
      {fault !== undefined && <Fault fault={fault} />}
      {busy && <Busy />}
      <div class="actions">
        <button type="submit" class="primary" disabled={busy || !changed}>
          {t('edit.save')}
        </button>
        <button type="button" disabled={refused} onClick={drawMore}>
          {t('edit.add_part')}
        </button>
        <button type="button" disabled={refused} onClick={drawAnew}>
          {t('edit.anew')}
        </button>
        <button type="button" onClick={onClose}>
          {t('cancel')}
        </button>
      </div>
    </form>
  );
}
