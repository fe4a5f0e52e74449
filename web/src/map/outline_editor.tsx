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

type FeatureId = NonNullable<GeoJSONStoreFeatures['id']>;

/** Rings as they are put on the map. */
const added = (rings: (Pick<Ring, 'places'> & Partial<Ring>)[]): GeoJSONStoreFeatures[] =>
  rings.map(({ part, hole, places }) => ({
    type: 'Feature',
    geometry: { type: 'Polygon', coordinates: [places] },
    properties: { mode: 'polygon', ...(part === undefined ? {} : { part, hole: hole ?? 0 }) },
  }));

/** The rings that are finished, to be put back as they stand. */
function ringsOn(draw: TerraDraw): GeoJSONStoreFeatures[] {
  const shapes = draw.getSnapshot().filter(({ geometry }) => geometry.type === 'Polygon');
  return added(
    shapes
      .filter(({ properties }) => !properties.currentlyDrawing)
      .map(({ geometry, properties }) => ({
        part: properties.part as number | undefined,
        hole: properties.hole as number | undefined,
        places: (geometry as Polygon).coordinates[0] ?? [],
      })),
  );
}

interface Listener {
  onChange: (outline: Outline | null) => void;
  /** Something was done that can be undone: a corner moved, a part drawn or taken away. */
  onStep: () => void;
  /** Whether a part or a hole is chosen, and which. */
  onSelect: (ring: FeatureId | null) => void;
}

/** The rings to draw with; nothing where one of them cannot be, and would be lost unseen. */
function begin(map: MapLibre, outline: Outline, { onChange, onStep, onSelect }: Listener): TerraDraw | null {
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
  const taken = draw.addFeatures(added(ringsOf(outline)));
  if (taken.some(({ valid }) => !valid)) {
    draw.stop();
    return null;
  }
  draw.on('select', onSelect);
  draw.on('deselect', () => onSelect(null));
  draw.setMode('select');
  const [first] = taken;
  if (first?.id !== undefined) draw.selectFeature(first.id);
  draw.on('change', (_, type) => {
    if (type === 'delete') {
      dropHoles(draw);
      onStep();
    }
    onChange(finished(draw, outline));
  });
  draw.on('finish', (id, { action }) => {
    // One ring is drawn: the next click mends it and begins no second one.
    if (action === 'draw') {
      draw.setMode('select');
      draw.selectFeature(id);
    }
    onStep();
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

/** What was done on the map, step by step, and the way back. */
function useSteps(draw: { current: TerraDraw | null }) {
  const past = useRef<GeoJSONStoreFeatures[][]>([]);
  const present = useRef<GeoJSONStoreFeatures[]>([]);
  const isUndoing = useRef(false);
  const [count, setCount] = useState(0);
  const begin = () => {
    past.current = [];
    present.current = draw.current ? ringsOn(draw.current) : [];
    setCount(0);
  };
  const take = () => {
    if (!draw.current || isUndoing.current) return;
    const now = ringsOn(draw.current);
    if (JSON.stringify(now) === JSON.stringify(present.current)) return;
    past.current.push(present.current);
    present.current = now;
    setCount(past.current.length);
  };
  const undo = () => {
    const before = past.current.pop();
    if (!draw.current || !before) return;
    isUndoing.current = true;
    draw.current.setMode('select');
    draw.current.clear();
    draw.current.addFeatures(before);
    isUndoing.current = false;
    present.current = before;
    setCount(past.current.length);
  };
  return { count, begin, take, undo };
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
  const [chosen, setChosen] = useState<FeatureId | null>(null);
  const draw = useRef<TerraDraw | null>(null);
  const steps = useSteps(draw);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    const container = map.getContainer();
    container.classList.add('busy-drawing');
    // A narrow map has grown by the record's panel, which gives way to this.
    map.resize();
    const extent = extentOf(outline);
    if (extent) map.fitBounds(extent, { padding: besides(form.current), maxZoom: 18, animate: false });
    draw.current = begin(map, outline, { onChange: setChanged, onStep: steps.take, onSelect: setChosen });
    setRefused(!draw.current);
    steps.begin();
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
  const removeChosen = () => {
    if (chosen === null) return;
    draw.current?.deselectFeature(chosen);
    draw.current?.removeFeatures([chosen]);
  };
  const undo = () => {
    steps.undo();
    setChanged(draw.current && finished(draw.current, outline));
    setDrawing(false);
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
        <button type="button" disabled={chosen === null} onClick={removeChosen}>
          {t('edit.remove')}
        </button>
        <button type="button" disabled={steps.count === 0} onClick={undo}>
          {t('map.undo')}
        </button>
        <button type="button" onClick={onClose}>
          {t('cancel')}
        </button>
      </div>
    </form>
  );
}
