// An outline as rings that are moved one by one: of each part its shell, and its holes.

import type { Geometry, MultiPolygon, Polygon, Position } from 'geojson';
import { measure, type Place } from './measure';
import { cornersOf } from './ring';

export type Outline = Polygon | MultiPolygon;

export interface Ring {
  /** Which part of the outline it belongs to. */
  part: number;
  /** 0 is the part's shell; the others are holes in it. */
  hole: number;
  places: Position[];
}

export const isOutline = (geometry: Geometry | null): geometry is Outline =>
  geometry?.type === 'Polygon' || geometry?.type === 'MultiPolygon';

const partsOf = (outline: Outline): Position[][][] =>
  outline.type === 'Polygon' ? [outline.coordinates] : outline.coordinates;

const closed = (corners: Position[]): Position[] => [...corners, ...corners.slice(0, 1)];

/** Decimals that are drawn with, 0.1 mm: terra-draw takes no coordinate of more than fifteen, and a double may have them. */
export const DIGITS = 9;

const rounded = (degrees = 0) => Math.round(degrees * 10 ** DIGITS) / 10 ** DIGITS;

const keyOf = ([lon, lat]: Position) => `${rounded(lon)} ${rounded(lat)}`;

/** The rings, closed, as they are drawn with: longitude and latitude, rounded. */
export function ringsOf(outline: Outline): Ring[] {
  return partsOf(outline).flatMap((rings, part) =>
    rings.map((ring, hole) => {
      const flat = cornersOf(ring).map(([lon, lat]) => [rounded(lon), rounded(lat)]);
      return { part, hole, places: closed(flat) };
    }),
  );
}

/** The outline of these rings; corners that nobody moved are exactly, and as high, as they were `before`. */
export function outlineOf(rings: Ring[], before: Outline): Outline | null {
  const exact = new Map(partsOf(before).flatMap((ring) => ring.flat().map((place) => [keyOf(place), place])));
  const parts = new Map<number, Position[][]>();
  for (const { part, places } of rings.toSorted((one, other) => one.hole - other.hole)) {
    const ring = places.map((place) => exact.get(keyOf(place)) ?? place);
    parts.set(part, [...(parts.get(part) ?? []), ring]);
  }
  const [first, ...others] = parts.values();
  if (!first) return null;
  if (others.length === 0 && before.type === 'Polygon') return { type: 'Polygon', coordinates: first };
  return { type: 'MultiPolygon', coordinates: [first, ...others] };
}

/** m², its holes taken off; parts that overlap count twice. */
export function areaOf(outline: Outline): number {
  return ringsOf(outline).reduce((sum, { hole, places }) => {
    const area = measure(cornersOf(places) as Place[]).area ?? 0;
    return hole === 0 ? sum + area : sum - area;
  }, 0);
}
