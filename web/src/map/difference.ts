// What two outlines have in common and what only one has. To look at: areas that count come from the server.

import type { Feature, Geometry, MultiPolygon } from 'geojson';
import { difference, type Geom, intersection } from 'polyclip-ts';

export type Part = 'kept' | 'added' | 'removed' | 'old' | 'base' | 'theirs' | 'mine';

export function part(name: Part, geometry: Geometry): Feature {
  return { type: 'Feature', properties: { part: name }, geometry };
}

function ring(geometry: Geometry | null | undefined): Geom | null {
  if (geometry?.type === 'Polygon' || geometry?.type === 'MultiPolygon') return geometry.coordinates as Geom;
  return null;
}

/** The difference of two outlines as parts; the outlines themselves where one cannot be cut. */
export function compare(before: Geometry | null, after: Geometry | null): Feature[] {
  const [one, other] = [ring(before), ring(after)];
  const old = before ? [part('old', before)] : [];
  if (!other) return after ? [...old, part('added', after)] : old;
  if (!one) return [...old, part('added', after as Geometry)];
  try {
    const parts: [Part, Geom][] = [
      ['kept', intersection(one, other)],
      ['added', difference(other, one)],
      ['removed', difference(one, other)],
    ];
    const cut = parts
      .filter(([, coordinates]) => coordinates.length > 0)
      .map(([name, coordinates]) => part(name, { type: 'MultiPolygon', coordinates } as MultiPolygon));
    return [...cut, ...old];
  } catch {
    // An outline that crosses itself is shown as it is.
    return [...old, part('added', after as Geometry)];
  }
}
