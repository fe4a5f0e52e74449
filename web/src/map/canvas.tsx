import type { Feature, Geometry } from 'geojson';
import type { Map as MapLibre, MapMouseEvent } from 'maplibre-gl';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Fault } from '../components/states';
import { t } from '../i18n';
import { head, news } from '../live';
import { useLoad } from '../load';
import type { Programme } from '../programme';
import { loadRecord } from '../record/model';
import { extentOf } from './extent';
import { apply, type Filter, NO_FILTER, wantedTasks } from './filter';
import { look, type Seen } from './seen';
import { type Bounds, type Layers, loadLayers, loadTasks, type Question, tasksAt, tilesAt } from './sources';
import { CLICKED } from './style';
import { boundsOf, create, isSettled, PROGRAMME, put, refresh, remove, turnTo } from './view';

interface Props {
  programme: Programme;
  question: Question;
  filter?: Filter;
  /** The record that is looked at. */
  chosen?: string | null;
  /** Drawn as finely as printers print. */
  paper?: boolean;
  onReady: (map: MapLibre) => void;
  onMove?: (bounds: Bounds) => void;
  /** Everything in view is drawn; nothing while it is on its way. */
  onSeen?: (seen: Seen | undefined) => void;
  onFault?: (fault: unknown) => void;
  onChoose?: (record: string) => void;
}

/** So many pixels beside a thing still mean it: fingers are wide. */
const NEAR = 6;
/** Zooms that a click on an overview goes nearer. */
const NEARER = 2;

/** The map itself. It is made once and told what to show. */
export function Canvas(props: Props) {
  const layers = useLoad('layers', loadLayers, false);
  if (layers.data) return <Drawn {...props} layers={layers.data} />;
  return layers.fault === undefined ? (
    <div class="map-canvas" />
  ) : (
    <Fault fault={layers.fault} again={layers.reload} />
  );
}

function Drawn(props: Props & { layers: Layers }) {
  const container = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<MapLibre | null>(null);
  const [fault, setFault] = useState<unknown>();
  const newest = useRef(props);
  newest.current = props;

  useEffect(() => {
    let made: MapLibre;
    try {
      const { programme, layers, question, paper } = newest.current;
      made = create(container.current as HTMLElement, programme, layers, question, paper);
    } catch (thrown) {
      setFault(thrown);
      return;
    }
    // Not when all is drawn: a map whose tiles do not come must be able to say so.
    made.once('style.load', () => {
      setMap(made);
      newest.current.onReady(made);
      newest.current.onMove?.(boundsOf(made));
    });
    made.on('moveend', () => newest.current.onMove?.(boundsOf(made)));
    made.on('click', (event) => {
      if (made.getContainer().classList.contains('busy-drawing')) return;
      const found = thingAt(made, event);
      if (found?.id) newest.current.onChoose?.(found.id);
      else if (found) made.easeTo({ center: event.lngLat, zoom: made.getZoom() + NEARER });
    });
    made.on('mousemove', (event) => {
      made.getCanvas().style.cursor = thingAt(made, event) ? 'pointer' : '';
    });
    return () => remove(made);
  }, []);

  const { layers, question, filter = NO_FILTER } = props;
  const { asOf, basis, today } = question;
  useEffect(() => {
    if (map) apply(map, layers, { asOf, basis, today }, filter);
  }, [map, layers, filter, asOf, basis, today]);
  useTurned(map, newest, question);
  useSeen(map, newest);
  useChosen(map, props.chosen ?? null);

  if (fault !== undefined) return <Fault fault={new Error(t('map.no_webgl'))} />;
  return <div ref={container} class="map-canvas" />;
}

/** Keeps the tiles those of the day, the basis and what has been written since. */
function useTurned(
  map: MapLibre | null,
  newest: { current: Props & { layers: Layers } },
  { asOf, basis, today }: Question,
) {
  // The address without a day is that of today, whichever day that is.
  const address = () => tilesAt(newest.current.layers, { asOf, basis, today });
  const shown = useRef(`${asOf} ${address()}`);
  useEffect(() => {
    const wanted = `${asOf} ${address()}`;
    if (!map || shown.current === wanted) return;
    shown.current = wanted;
    // What was counted is of another day.
    newest.current.onSeen?.(undefined);
    turnTo(map, newest.current.layers, { asOf, basis, today });
  }, [map, newest, asOf, basis, today]);
  const known = useRef({ head: head.value, news: news.value });
  const latest = news.value;
  useEffect(() => {
    const before = known.current;
    known.current = { head: head.value, news: latest };
    // The first news from the server only says where the log stands.
    const isFirst = before.head === 0 && head.value !== 0;
    if (map && before.news !== latest && !isFirst) refresh(map);
  }, [map, latest]);
}

/** Tells what is in view once it is drawn, and puts the tasks there. */
function useSeen(map: MapLibre | null, newest: { current: Props & { layers: Layers } }) {
  useEffect(() => {
    if (!map) return;
    let placed = '';
    const begin = (event: object) => {
      if ('sourceId' in event && event.sourceId === PROGRAMME) newest.current.onSeen?.(undefined);
    };
    const end = async () => {
      if (!isSettled(map)) return;
      const { layers, question, filter = NO_FILTER, onSeen } = newest.current;
      const seen = look(map, layers, question, filter);
      if (!layers.includes('task')) return onSeen?.(seen);
      const found = await loadTasks().catch((fault: unknown) => ({ fault }));
      const wanted = 'fault' in found ? [] : wantedTasks(found, filter);
      const tasks = tasksAt(wanted, seen.areas, question);
      const named = JSON.stringify(tasks);
      if (named !== placed && map.getSource('tasks')) put(map, 'tasks', tasks);
      placed = named;
      const distinct = new Set(tasks.features.map(({ properties }) => properties?.id));
      // An overview does not say where single areas are, nor therefore the tasks at them.
      const many = 'fault' in found || seen.overview ? null : distinct.size;
      onSeen?.({ ...seen, counts: new Map([...seen.counts, ['task', many]]) });
      if ('fault' in found) newest.current.onFault?.(found.fault);
    };
    const fail = ({ error }: { error: unknown }) => newest.current.onFault?.(error);
    map.on('dataloading', begin);
    map.on('idle', end);
    map.on('error', fail);
    return () => {
      map.off('dataloading', begin);
      map.off('idle', end);
      map.off('error', fail);
    };
  }, [map, newest]);
}

function thingAt(map: MapLibre, { point }: MapMouseEvent): { id?: string } | undefined {
  const layers = CLICKED.filter((layer) => map.getLayer(layer));
  const found = map.queryRenderedFeatures(
    [
      [point.x - NEAR, point.y - NEAR],
      [point.x + NEAR, point.y + NEAR],
    ],
    { layers },
  );
  return found[0]?.properties;
}

/** Marks the record that is looked at, as it stands by now, and goes there when it was found elsewhere. */
function useChosen(map: MapLibre | null, chosen: string | null) {
  const { data } = useLoad(chosen && `chosen ${chosen}`, (signal) => loadRecord(chosen as string, signal));
  const geometry = data?.geometry;
  const outline = JSON.stringify(geometry);
  useEffect(() => {
    if (!map) return;
    const features: Feature[] = geometry ? [{ type: 'Feature', properties: {}, geometry }] : [];
    put(map, 'chosen', { type: 'FeatureCollection', features });
  }, [map, outline]);
  useEffect(() => {
    if (map && geometry) goTo(map, geometry);
  }, [map, data?.id]);
}

/** Pixels around what is gone to, where the map is large; of a small one a quarter of its side. */
const MARGIN = 120;

function marginsOf(map: MapLibre): number {
  const { clientWidth, clientHeight } = map.getContainer();
  return Math.min(MARGIN, clientWidth / 4, clientHeight / 4);
}

function goTo(map: MapLibre, geometry: Geometry) {
  const extent = extentOf(geometry);
  if (!extent) return;
  // The record's panel, too, has only just taken its place beside the map.
  map.resize();
  const view = map.getBounds();
  const inView = view.contains([extent[0], extent[1]]) && view.contains([extent[2], extent[3]]);
  // What can be seen and told from its neighbours stays where it is.
  if (inView && map.getZoom() >= 12) return;
  map.fitBounds(extent, {
    padding: marginsOf(map),
    maxZoom: 15,
    animate: !matchMedia('(prefers-reduced-motion: reduce)').matches,
  });
}
