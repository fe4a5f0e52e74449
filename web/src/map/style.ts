// What the map draws, from below: the world, the country's units, released ground, hazardous ground, outlines by status,
// points. No glyphs are named, so that labels are drawn with the fonts of the reader's machine.

import type { FeatureCollection } from 'geojson';
import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl';
import { feature } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';
import countries from 'world-atlas/countries-50m.json?url';
import { OUTLINES, RESULTS, SYMBOLS, type SymbolName } from '../symbology';
import type { Part } from './difference';

export const NOTHING: FeatureCollection = { type: 'FeatureCollection', features: [] };

/** Sources that are filled by view. Nothing is simplified away: a small area is as dangerous as a large one. */
export const VIEWED = ['ground', 'outlines', 'points'] as const;

const RELEASED = [...RESULTS];
const HAZARDOUS = ['cha', 'sha'];

const isOneOf = (names: string[]): ExpressionSpecification => ['in', ['get', 'symbol'], ['literal', names]];

const ink: ExpressionSpecification = [
  'match',
  ['get', 'symbol'],
  ...(Object.keys(SYMBOLS) as SymbolName[]).flatMap((name) => [name, SYMBOLS[name].ink]),
  '#444',
] as unknown as ExpressionSpecification;

/** Wide enough to be seen where the ground itself is less than a dot. */
const seen: ExpressionSpecification = ['interpolate', ['linear'], ['zoom'], 5, 6, 10, 4, 14, 1.4];

function ground(id: string, names: string[]): LayerSpecification[] {
  const shown = isOneOf(names);
  return [
    {
      id: `${id}-fill`,
      type: 'fill',
      source: 'ground',
      filter: shown,
      paint: { 'fill-pattern': ['concat', 'hatch-', ['get', 'symbol']], 'fill-antialias': false },
    },
    {
      id: `${id}-line`,
      type: 'line',
      source: 'ground',
      filter: shown,
      layout: { 'line-join': 'round' },
      paint: { 'line-color': ink, 'line-width': seen, 'line-opacity': 0.9 },
    },
  ];
}

function outlines(): LayerSpecification[] {
  return (Object.keys(OUTLINES) as (keyof typeof OUTLINES)[]).map((name) => ({
    id: `outline-${name}`,
    type: 'line',
    source: 'outlines',
    minzoom: 11,
    filter: ['==', ['get', 'outline'], name],
    layout: { 'line-join': 'round' },
    paint: {
      'line-color': OUTLINES[name].colour,
      'line-width': 2.6,
      ...(OUTLINES[name].dashed ? { 'line-dasharray': [2.4, 1.4] } : {}),
    },
  }));
}

const contested: LayerSpecification[] = [
  {
    id: 'contested-fill',
    type: 'fill',
    source: 'ground',
    filter: ['==', ['get', 'contested'], true],
    paint: { 'fill-pattern': 'hatch-contested' },
  },
  {
    id: 'contested-line',
    type: 'line',
    source: 'ground',
    filter: ['==', ['get', 'contested'], true],
    paint: { 'line-color': SYMBOLS.contested.ink, 'line-width': 3.4, 'line-dasharray': [1, 1] },
  },
];

const points: LayerSpecification[] = [
  {
    id: 'points',
    type: 'symbol',
    source: 'points',
    layout: {
      'icon-image': ['concat', 'sign-', ['get', 'kind']],
      'icon-size': [
        'interpolate',
        ['linear'],
        ['zoom'],
        6,
        ['match', ['get', 'kind'], 'hazardous_area', 0.5, 0.25],
        10,
        ['match', ['get', 'kind'], 'hazardous_area', 0.7, 0.45],
        14,
        1,
      ],
      'icon-allow-overlap': true,
      'icon-ignore-placement': true,
      'symbol-sort-key': ['match', ['get', 'kind'], 'hazardous_area', 3, 'accident', 2, 1],
    },
  },
];

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

interface PartStyle {
  fill: string;
  opacity: number;
  line: string;
  width: number;
  dash?: number[];
}

/** Outlines that are compared: before and after, or the three sides of a conflict. */
export const PARTS: Record<Part, PartStyle> = {
  kept: { fill: '#7d8b96', opacity: 0.25, line: '#7d8b96', width: 0 },
  added: { fill: '#1f8a3b', opacity: 0.45, line: '#0f5a22', width: 2 },
  removed: { fill: '#d0021b', opacity: 0.4, line: '#8f0012', width: 2 },
  old: { fill: '#ffffff', opacity: 0, line: '#4a5661', width: 2, dash: [2, 1.5] },
  base: { fill: '#ffffff', opacity: 0, line: '#4a5661', width: 2.5, dash: [1, 1.6] },
  theirs: { fill: '#1769aa', opacity: 0.16, line: '#1769aa', width: 3 },
  mine: { fill: '#a3248f', opacity: 0.14, line: '#a3248f', width: 3, dash: [4, 1.5] },
};

function compared(): LayerSpecification[] {
  return (Object.keys(PARTS) as Part[]).flatMap((name): LayerSpecification[] => {
    const { fill, opacity, line, width, dash } = PARTS[name];
    const filter: ExpressionSpecification = ['==', ['get', 'part'], name];
    const source = 'compared';
    return [
      {
        id: `part-${name}-fill`,
        type: 'fill',
        source,
        filter,
        paint: { 'fill-color': fill, 'fill-opacity': opacity },
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

/** The layers that a click asks. */
export const CLICKED = [
  'points',
  'sha-fill',
  'cha-fill',
  'sha-line',
  'cha-line',
  'released-fill',
  'released-line',
];

/** Layers of the programme's own data, by what the legend calls them. */
export const LAYERS: Record<string, string[]> = {
  released: ['released-fill', 'released-line'],
  hazardous: ['sha-fill', 'sha-line', 'cha-fill', 'cha-line'],
};

export function style(units: FeatureCollection | null | undefined): StyleSpecification {
  const empty = { type: 'geojson' as const, data: NOTHING, tolerance: 0, buffer: 64 };
  return {
    version: 8,
    sources: {
      world: { type: 'geojson', data: NOTHING, attribution: 'Natural Earth' },
      units: { type: 'geojson', data: units ?? NOTHING },
      ...Object.fromEntries(VIEWED.map((name) => [name, empty])),
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
      ...ground('released', RELEASED),
      ...ground('sha', HAZARDOUS.slice(1)),
      ...ground('cha', HAZARDOUS.slice(0, 1)),
      ...outlines(),
      ...contested,
      unitNames(2, 9, 11),
      unitNames(1, 5, 13),
      ...points,
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
    paint: { 'text-color': '#43535f', 'text-halo-color': '#ffffff', 'text-halo-width': 1.4 },
  };
}

/** Countries of the world at 1:50 000 000, from the server's own files. */
export async function world(): Promise<FeatureCollection> {
  const topology: Topology = await (await fetch(countries)).json();
  return feature(topology, topology.objects.countries as GeometryCollection);
}
