// What is in view: how many things of each symbol, and where the areas are.

import type { Feature } from 'geojson';
import type { ExpressionSpecification, Map as MapLibre } from 'maplibre-gl';
import { type Bounds, extentOf, meets } from './extent';
import { all, type Filter, wanted } from './filter';
import { type Layers, type Question, thereBy } from './sources';
import { groundOf, POINTS, symbolOf } from './style';
import { boundsOf, PROGRAMME } from './view';

export interface Seen {
  /** How many things of each symbol and kind that the reader sees; null where that is not known. */
  counts: ReadonlyMap<string, number | null>;
  /** Some tiles are overviews, which show where ground is and count it, and no single areas. */
  overview: boolean;
  /** Areas' boxes, by id. */
  areas: Map<string, Bounds>;
}

/** Areas, by their outlines or by a point. */
const AREAS = ['hazardous_area', 'hazardous_area_points'];

const wider = (a: Bounds | undefined, b: Bounds): Bounds =>
  a ? [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])] : b;

/** Counts what is in view and asked for, hidden or not; a thing that lies in several tiles is one thing. */
export function look(map: MapLibre, layers: Layers, question: Question, asked: Filter): Seen {
  const view = boundsOf(map);
  const things = new Map<string, Set<string>>();
  const ground = groundOf(layers, question.basis);
  const points = POINTS.filter(({ layer }) => layer && layers.includes(layer));
  const known = [
    ...ground.flatMap(({ symbols }) => Object.values(symbols).flat()),
    ...points.map(({ kind }) => kind),
  ];
  const counts = new Map([...known, 'contested'].map((name) => [name, 0]));
  const areas = new Map<string, Bounds>();
  let overview = false;
  const add = (name: string, thing: string) => things.set(name, (things.get(name) ?? new Set()).add(thing));
  const each = (
    sourceLayer: string,
    conditions: ExpressionSpecification[],
    use: (feature: Feature, box: Bounds) => void,
  ) => {
    const filter = all(conditions);
    for (const feature of map.querySourceFeatures(PROGRAMME, { sourceLayer, filter })) {
      const box = extentOf(feature.geometry);
      if (box && meets(box, view)) use(feature, box);
    }
  };
  const tell = (name: string, feature: Feature) => {
    const said = feature.properties ?? {};
    if (said.overview) {
      overview = true;
      counts.set(name, (counts.get(name) ?? 0) + Number(said.count));
    } else add(name, said.id);
  };
  const there = (dates: string[] | undefined) => (dates ? [thereBy(dates, question)] : []);
  for (const { layer, field, organisation, dates } of ground) {
    each(layer, [...wanted(organisation, asked), ...there(dates)], (feature) => {
      tell(symbolOf(feature.properties?.[field]), feature);
      if (feature.properties?.contested) tell('contested', feature);
    });
  }
  for (const { kind, layer, dates } of points) {
    const conditions = [...wanted('organisation', asked), ...there(dates)];
    if (layer) each(layer, conditions, (feature) => tell(kind, feature));
  }
  // Tasks lie at areas, whoever reported these.
  for (const layer of AREAS) {
    each(layer, [], ({ properties }, box) => {
      if (properties?.id) areas.set(properties.id, wider(areas.get(properties.id), box));
    });
  }
  for (const [name, found] of things) counts.set(name, (counts.get(name) ?? 0) + found.size);
  return { counts, overview, areas };
}
