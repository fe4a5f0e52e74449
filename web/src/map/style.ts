// What the map draws, from below: the world, the country's units, released ground, hazardous ground, outlines by status,
// points. No glyphs are named, so that labels are drawn with the fonts of the reader's machine.

import type { FeatureCollection } from 'geojson';
import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl';
import { feature } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';
import countries from 'world-atlas/countries-50m.json?url';
import type { Basis } from '../standing/model';
import { type Hatch, OUTLINES, RESULTS, SYMBOLS, type SymbolName } from '../symbology';
import type { Part } from './difference';
import type { SignName } from './images';
import { drawnOn, FINEST, type Layers } from './sources';

const NOTHING: FeatureCollection = { type: 'FeatureCollection', features: [] };

/** The source of the programme's tiles. */
export const PROGRAMME = 'programme';

/** A classification or a result as the symbol that shows it: records write classes large. */
export const symbolOf = (value: unknown): string => String(value ?? '').toLowerCase();

interface Ground {
  kind: 'released' | 'hazardous';
  /** The layer of the tiles; it begins the names of those on the map. */
  layer: string;
  /** The field that says how it looks. */
  field: string;
  symbol: ExpressionSpecification;
  /** Symbols by the layers that draw them, from below. */
  symbols: Record<string, string[]>;
  /** The field that says whose it is. */
  organisation: string;
  /** Fields that say since when it is there; without, the tiles themselves are those of the day. */
  dates?: string[];
}

function groundIn(kind: Ground['kind'], layer: string, organisation: string, dates?: string[]): Ground {
  const field = kind === 'released' ? 'result' : 'classification';
  const symbols: Record<string, string[]> =
    kind === 'released' ? { all: [...RESULTS] } : { sha: ['sha'], cha: ['cha'] };
  return {
    kind,
    layer,
    field,
    symbol: ['downcase', ['to-string', ['get', field]]],
    symbols,
    organisation,
    dates,
  };
}

/** Ground, from below: the ledger's, or for those to whom it is not open the records'. */
export const GROUND: Ground[] = [
  groundIn('released', 'released', 'operator'),
  groundIn('released', 'land_release', 'organisation', ['completion_date']),
  groundIn('hazardous', 'remaining', 'organisation'),
  groundIn('hazardous', 'hazardous_area', 'organisation', ['date_identified']),
];

/** What of the ground that could be drawn is drawn on a basis: the first of each kind. */
export function groundOf(layers: Layers, basis: Basis): Ground[] {
  const drawn = drawnOn(layers, basis);
  const first = (kind: Ground['kind']) =>
    GROUND.filter((one) => one.kind === kind && drawn.includes(one.layer)).slice(0, 1);
  return [...first('released'), ...first('hazardous')];
}

/** Outlines of hazardous areas by what is done about them. */
export const OUTLINED = {
  layer: 'hazardous_area',
  symbol: ['downcase', ['to-string', ['get', 'classification']]] as ExpressionSpecification,
  outline: [
    'match',
    ['get', 'status'],
    'open',
    'open',
    ['released', 'closed'],
    'closed',
    'worked',
  ] as unknown as ExpressionSpecification,
};

interface Point {
  kind: SignName;
  /** The layer of the tiles; without, the map puts them there itself. */
  layer?: string;
  dates?: string[];
}

export const POINTS: Point[] = [
  { kind: 'eo_item', layer: 'eo_item', dates: ['found_date'] },
  { kind: 'task' },
  { kind: 'accident', layer: 'accident', dates: ['accident_date'] },
  { kind: 'hazardous_area', layer: 'hazardous_area_points', dates: ['date_identified'] },
];

const ink = (symbol: ExpressionSpecification): ExpressionSpecification =>
  [
    'match',
    symbol,
    ...(Object.keys(SYMBOLS) as SymbolName[]).flatMap((name) => [name, SYMBOLS[name].ink]),
    '#444',
  ] as unknown as ExpressionSpecification;

/** Wide enough to be seen where the ground itself is less than a dot. */
const seen: ExpressionSpecification = ['interpolate', ['linear'], ['zoom'], 5, 6, 10, 4, 14, 1.4];

/** Until the day and the reader's filter are known, nothing is let through. */
const nothing: ExpressionSpecification = ['boolean', false];

function ground({ layer, symbol, symbols }: Ground): LayerSpecification[] {
  const from = { source: PROGRAMME, 'source-layer': layer, filter: nothing };
  return Object.keys(symbols).flatMap((name): LayerSpecification[] => [
    {
      id: `${layer}-${name}-fill`,
      type: 'fill',
      ...from,
      paint: { 'fill-pattern': ['concat', 'hatch-', symbol], 'fill-antialias': false },
    },
    {
      id: `${layer}-${name}-line`,
      type: 'line',
      ...from,
      layout: { 'line-join': 'round' },
      paint: { 'line-color': ink(symbol), 'line-width': seen, 'line-opacity': 0.9 },
    },
  ]);
}

function outlines(): LayerSpecification[] {
  return (Object.keys(OUTLINES) as (keyof typeof OUTLINES)[]).map((name): LayerSpecification => {
    const { colour, dash, round } = OUTLINES[name];
    return {
      id: `outline-${name}`,
      type: 'line',
      source: PROGRAMME,
      'source-layer': OUTLINED.layer,
      minzoom: 11,
      filter: nothing,
      layout: { 'line-join': 'round', 'line-cap': round ? 'round' : 'butt' },
      paint: { 'line-color': colour, 'line-width': 2.6, ...(dash ? { 'line-dasharray': dash } : {}) },
    };
  });
}

function contested({ layer }: Ground): LayerSpecification[] {
  const from = { source: PROGRAMME, 'source-layer': layer, filter: nothing };
  return [
    { id: `${layer}-contested-fill`, type: 'fill', ...from, paint: { 'fill-pattern': 'hatch-contested' } },
    {
      id: `${layer}-contested-line`,
      type: 'line',
      ...from,
      paint: { 'line-color': SYMBOLS.contested.ink, 'line-width': 3.4, 'line-dasharray': [1, 1] },
    },
  ];
}

/** What people call a thing, as its record says it or the ledger. */
const called: ExpressionSpecification = [
  'coalesce',
  ['get', 'reference'],
  ['get', 'local_reference'],
  ['get', 'name'],
  '',
];

const LABEL = {
  'text-field': called,
  'text-font': ['sans-serif'],
  'text-size': 11,
  'text-padding': 4,
  'text-max-width': 12,
};

/** Under its sign, or left out where that has no room: the sign itself stays. */
const BESIDE = {
  'text-anchor': 'top' as const,
  'text-offset': [0, 1.1] as [number, number],
  'text-optional': true,
};

const HALO = { 'text-color': '#43535f', 'text-halo-color': '#ffffff', 'text-halo-width': 1.8 };

/** By which names ground goes, where there is room for them: over the radio an area has no other. */
function names({ kind, layer, symbol }: Ground): LayerSpecification {
  return {
    id: `${layer}-names`,
    type: 'symbol',
    source: PROGRAMME,
    'source-layer': layer,
    minzoom: kind === 'hazardous' ? 12 : 14,
    filter: nothing,
    layout: LABEL,
    paint: { 'text-color': ink(symbol), 'text-halo-color': '#ffffff', 'text-halo-width': 1.8 },
  };
}

function points({ kind, layer }: Point): LayerSpecification {
  const [far, near] = kind === 'hazardous_area' ? [0.5, 0.7] : [0.25, 0.45];
  return {
    id: `points-${kind}`,
    type: 'symbol',
    ...(layer ? { source: PROGRAMME, 'source-layer': layer, filter: nothing } : { source: 'tasks' }),
    layout: {
      'icon-image': `sign-${kind}`,
      'icon-size': ['interpolate', ['linear'], ['zoom'], 6, far, 10, near, 14, 1],
      'icon-allow-overlap': true,
      'icon-ignore-placement': true,
      ...(kind === 'hazardous_area' ? { ...LABEL, ...BESIDE } : {}),
    },
    ...(kind === 'hazardous_area' ? { paint: HALO } : {}),
  };
}

const chosen: LayerSpecification[] = [
  {
    id: 'chosen',
    type: 'line',
    source: 'chosen',
    paint: { 'line-color': '#0b6fa4', 'line-width': 4, 'line-opacity': 0.85 },
  },
];

const measured: LayerSpecification[] = [
  {
    id: 'measured-fill',
    type: 'fill',
    source: 'measured',
    paint: { 'fill-color': '#0b6fa4', 'fill-opacity': 0.12 },
  },
  {
    id: 'measured-line',
    type: 'line',
    source: 'measured',
    paint: { 'line-color': '#0b6fa4', 'line-width': 2 },
  },
  {
    id: 'measured-points',
    type: 'circle',
    source: 'measured',
    filter: ['==', ['geometry-type'], 'Point'],
    paint: {
      'circle-radius': 4,
      'circle-color': '#fff',
      'circle-stroke-color': '#0b6fa4',
      'circle-stroke-width': 2,
    },
  },
];

export interface PartStyle {
  fill: string;
  opacity: number;
  line: string;
  width: number;
  dash?: number[];
  /** What tells it from another part where colours do not. */
  hatch?: Hatch;
}

/** Outlines that are compared: before and after, or the three sides of a conflict. */
export const PARTS: Record<Part, PartStyle> = {
  kept: { fill: '#7d8b96', opacity: 0.25, line: '#7d8b96', width: 0 },
  added: { fill: '#1f8a3b', opacity: 0.45, line: '#0f5a22', width: 2 },
  removed: { fill: '#d0021b', opacity: 0.4, line: '#8f0012', width: 2, dash: [3, 1.2], hatch: 'cross' },
  old: { fill: '#ffffff', opacity: 0, line: '#4a5661', width: 2, dash: [2, 1.5] },
  base: { fill: '#ffffff', opacity: 0, line: '#4a5661', width: 2.5, dash: [1, 1.6] },
  theirs: { fill: '#1769aa', opacity: 0.16, line: '#1769aa', width: 3 },
  mine: { fill: '#a3248f', opacity: 0.14, line: '#a3248f', width: 3, dash: [4, 1.5] },
};

function compared(): LayerSpecification[] {
  return (Object.keys(PARTS) as Part[]).flatMap((name): LayerSpecification[] => {
    const { fill, opacity, line, width, dash, hatch } = PARTS[name];
    const filter: ExpressionSpecification = ['==', ['get', 'part'], name];
    const source = 'compared';
    return [
      {
        id: `part-${name}-fill`,
        type: 'fill',
        source,
        filter,
        paint: hatch ? { 'fill-pattern': `part-${name}` } : { 'fill-color': fill, 'fill-opacity': opacity },
      },
      {
        id: `part-${name}-line`,
        type: 'line',
        source,
        filter,
        paint: {
          'line-color': line,
          'line-width': width,
          ...(dash ? { 'line-dasharray': dash } : {}),
        },
      },
      {
        id: `part-${name}-point`,
        type: 'circle',
        source,
        filter: ['all', filter, ['==', ['geometry-type'], 'Point']],
        paint: {
          'circle-color': fill,
          'circle-opacity': 0.7,
          'circle-radius': 8,
          'circle-stroke-color': line,
          'circle-stroke-width': 2,
        },
      },
    ];
  });
}

/** The layers that a click asks, the topmost first. */
export const CLICKED = [
  'points-hazardous_area',
  'points-accident',
  'points-task',
  'points-eo_item',
  ...GROUND.toReversed().flatMap(({ layer, symbols }) =>
    Object.keys(symbols).flatMap((name) => [`${layer}-${name}-fill`, `${layer}-${name}-line`]),
  ),
];

export function style(
  units: FeatureCollection | null | undefined,
  layers: Layers,
  tiles: string[],
): StyleSpecification {
  // The other ground waits for another basis: no layer is added to a map that is drawn.
  const grounds = GROUND.filter(({ layer }) => layers.includes(layer));
  const empty = { type: 'geojson' as const, data: NOTHING, tolerance: 0, buffer: 64 };
  return {
    version: 8,
    sources: {
      world: { type: 'geojson', data: NOTHING, attribution: 'Natural Earth' },
      units: { type: 'geojson', data: units ?? NOTHING },
      [PROGRAMME]: { type: 'vector', tiles, maxzoom: FINEST },
      tasks: empty,
      chosen: empty,
      compared: empty,
      measured: empty,
    },
    layers: [
      { id: 'sea', type: 'background', paint: { 'background-color': '#dbe6ec' } },
      { id: 'land', type: 'fill', source: 'world', paint: { 'fill-color': '#f3f1ea' } },
      // Drawn alike whoever claims what.
      {
        id: 'borders',
        type: 'line',
        source: 'world',
        paint: { 'line-color': '#8c969e', 'line-width': 1, 'line-dasharray': [3, 2] },
      },
      {
        id: 'units-fill',
        type: 'fill',
        source: 'units',
        filter: level(1),
        paint: { 'fill-color': '#f7f5ef' },
      },
      ...unitLines(),
      ...grounds.flatMap(ground),
      ...outlines(),
      ...grounds.flatMap(contested),
      unitNames(2, 9, 11),
      unitNames(1, 5, 13),
      ...grounds.map(names),
      ...POINTS.filter(({ layer }) => !layer || layers.includes(layer)).map(points),
      ...compared(),
      ...chosen,
      ...measured,
    ],
  };
}

function level(wanted: number): ExpressionSpecification {
  return ['==', ['get', 'level'], wanted];
}

function unitLines(): LayerSpecification[] {
  const line = (wanted: number, width: number, minzoom: number): LayerSpecification => ({
    id: `units-${wanted}`,
    type: 'line',
    source: 'units',
    minzoom,
    filter: level(wanted),
    paint: { 'line-color': '#8494a0', 'line-width': width, 'line-opacity': 0.8 },
  });
  return [line(2, 0.7, 8), line(1, 1.5, 0)];
}

function unitNames(wanted: number, minzoom: number, size: number): LayerSpecification {
  return {
    id: `unit-names-${wanted}`,
    type: 'symbol',
    source: 'units',
    minzoom,
    filter: level(wanted),
    layout: {
      'text-field': ['get', 'name'],
      'text-size': size,
      'text-font': ['sans-serif'],
      'text-padding': 6,
    },
    paint: HALO,
  };
}

/** Countries of the world at 1:50 000 000, from the server's own files. */
export async function world(): Promise<FeatureCollection> {
  const topology: Topology = await (await fetch(countries)).json();
  return feature(topology, topology.objects.countries as GeometryCollection);
}
