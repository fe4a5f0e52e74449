// Outlines in words, for whoever has no map before them or cannot see it.

import type { Geometry, Position } from 'geojson';
import { count, m2 } from '../format';
import { t } from '../i18n';
import { linesOf } from './position';
import { placeWords } from './words';

/** Points by their places, all else by its corners and its calculated area. */
export function outlineWords(geometry: Geometry | null, area: number | null): string {
  if (!geometry) return t('none');
  const places = linesOf(geometry).flat();
  if (geometry.type.endsWith('Point')) {
    return places.map(placeWords).join('; ');
  }
  const corners = t('position.corners', { count: places.length });
  return area === null ? corners : t('outline.corners_and_area', { corners, area: m2(area) });
}

/** How far one outline has moved from another; nothing where there is only one, or no difference. */
export function movedWords(from: Geometry | null, to: Geometry | null): string | null {
  const metres = from && to ? distance(from, to) : 0;
  if (metres < 0.05) return null;
  return t('outline.moved', { distance: metres < 10 ? metres.toFixed(1) : count(metres) });
}

const EARTH_M = 6_371_009;
const radians = (degrees: number) => (degrees * Math.PI) / 180;

type Dot = [x: number, y: number];
type Segment = [Dot, Dot];

/** The farthest that either strays from the other, in metres: their Hausdorff distance, on a plane as flat as a field. */
function distance(one: Geometry, other: Geometry): number {
  const [, middle = 0] = linesOf(one)[0]?.[0] ?? [];
  const scale = Math.cos(radians(middle));
  const dot = ([lon = 0, lat = 0]: Position): Dot => [EARTH_M * radians(lon) * scale, EARTH_M * radians(lat)];
  const [a, b] = [one, other].map((shape) => segmentsOf(shape, dot)) as [Segment[], Segment[]];
  return Math.max(strays(a, b), strays(b, a));
}

/** The sides of an outline; a point is one of no length. */
function segmentsOf(geometry: Geometry, dot: (place: Position) => Dot): Segment[] {
  const isRing = geometry.type.endsWith('Polygon');
  const isLine = isRing || geometry.type.endsWith('LineString');
  return linesOf(geometry).flatMap((line) => {
    const dots = line.map(dot);
    return dots.map((from, place): Segment => {
      const to = isLine ? (dots[place + 1] ?? (isRing ? dots[0] : undefined)) : undefined;
      return [from, to ?? from];
    });
  });
}

function strays(from: Segment[], to: Segment[]): number {
  let farthest = 0;
  for (const [corner] of from) {
    let nearest = Number.POSITIVE_INFINITY;
    for (const side of to) nearest = Math.min(nearest, apart(corner, side));
    farthest = Math.max(farthest, nearest);
  }
  return farthest;
}

/** How far a place is from the nearest of a side. */
function apart([x, y]: Dot, [[x1, y1], [x2, y2]]: Segment): number {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const square = dx * dx + dy * dy;
  const along = square === 0 ? 0 : Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / square));
  return Math.hypot(x - x1 - along * dx, y - y1 - along * dy);
}
