// The box of a geometry.

import type { Geometry } from 'geojson';

export type Bounds = [west: number, south: number, east: number, north: number];

export const meets = (a: Bounds, b: Bounds) => a[0] <= b[2] && a[2] >= b[0] && a[1] <= b[3] && a[3] >= b[1];

type Coordinates = number | Coordinates[];

export function extentOf(geometry: Geometry): Bounds | null {
  const box: Bounds = [180, 90, -180, -90];
  const visit = (coordinates: Coordinates[]) => {
    const [lon, lat] = coordinates;
    if (typeof lon === 'number' && typeof lat === 'number') {
      box[0] = Math.min(box[0], lon);
      box[1] = Math.min(box[1], lat);
      box[2] = Math.max(box[2], lon);
      box[3] = Math.max(box[3], lat);
    } else for (const inner of coordinates) visit(inner as Coordinates[]);
  };
  if (!('coordinates' in geometry)) return null;
  visit(geometry.coordinates as Coordinates[]);
  return box[0] <= box[2] ? box : null;
}
