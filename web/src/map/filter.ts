// What of the fetched is drawn.

import type { Feature } from 'geojson';
import type { Shown } from './sources';

export interface Filter {
  /** Symbols and kinds of points that are not drawn. */
  hidden: ReadonlySet<string>;
  contestedOnly: boolean;
  organisation: string;
}

export const NO_FILTER: Filter = { hidden: new Set(), contestedOnly: false, organisation: '' };

export function visible(shown: Shown, filter: Filter): Shown {
  const ground = (piece: Feature) => {
    const said = piece.properties ?? {};
    if (filter.hidden.has(said.symbol)) return false;
    if (filter.contestedOnly && !said.contested) return false;
    return !filter.organisation || said.organisation === filter.organisation;
  };
  const features = shown.ground.features.filter(ground);
  const areas = new Set(features.map((piece) => piece.properties?.hazard ?? piece.properties?.record));
  const narrowed = filter.contestedOnly || filter.organisation !== '' || filter.hidden.size > 0;
  return {
    ...shown,
    ground: { ...shown.ground, features },
    outlines: {
      ...shown.outlines,
      features: shown.outlines.features.filter(
        (outline) => !narrowed || areas.has(outline.properties?.record),
      ),
    },
    points: {
      ...shown.points,
      features: shown.points.features.filter(
        (point) => !filter.contestedOnly && !filter.hidden.has(point.properties?.kind),
      ),
    },
  };
}

/** How many things of each symbol and kind are in view. */
export function counts(shown: Shown | undefined): Map<string, number> {
  const found = new Map<string, Set<string>>();
  const add = (name: string, record: string) => {
    const records = found.get(name) ?? new Set();
    found.set(name, records.add(record));
  };
  for (const { properties } of shown?.ground.features ?? []) {
    add(properties?.symbol, properties?.record);
    if (properties?.contested) add('contested', properties.record);
  }
  for (const { properties } of shown?.points.features ?? []) add(properties?.kind, properties?.record);
  return new Map([...found].map(([name, records]) => [name, records.size]));
}
