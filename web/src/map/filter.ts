// Which of what the tiles hold is drawn: what the reader has turned off, and what was not there yet on the day.

import type { ExpressionSpecification, Map as MapLibre } from 'maplibre-gl';
import { OUTLINES } from '../symbology';
import { type Layers, type Question, thereBy } from './sources';
import { groundOf, OUTLINED, POINTS } from './style';

export interface Filter {
  /** Symbols and kinds of points that are not drawn. */
  hidden: ReadonlySet<string>;
  contestedOnly: boolean;
  organisation: string;
}

export const NO_FILTER: Filter = { hidden: new Set(), contestedOnly: false, organisation: '' };

/** Whether some areas are drawn and others are not. */
export function narrows({ contestedOnly, organisation }: Filter): boolean {
  return contestedOnly || organisation !== '';
}

const all = (conditions: (ExpressionSpecification | boolean)[]): ExpressionSpecification =>
  ['all', ...conditions] as ExpressionSpecification;

/** What lets ground in, but for what only one of its layers wants. */
function ofGround(
  symbol: ExpressionSpecification,
  organisation: string,
  filter: Filter,
): ExpressionSpecification[] {
  const conditions: ExpressionSpecification[] = [];
  if (filter.hidden.size > 0) conditions.push(['!', ['in', symbol, ['literal', [...filter.hidden]]]]);
  if (filter.contestedOnly) conditions.push(['==', ['get', 'contested'], true]);
  if (filter.organisation) conditions.push(['==', ['get', organisation], filter.organisation]);
  return conditions;
}

/** What a map's layers let through. */
export function apply(map: MapLibre, layers: Layers, question: Question, filter: Filter): void {
  const set = (layer: string, conditions: (ExpressionSpecification | boolean)[]) => {
    if (map.getLayer(layer)) map.setFilter(layer, all(conditions));
  };
  for (const { id, symbol, symbols, organisation, dates } of groundOf(layers)) {
    const own = ofGround(symbol, organisation, filter);
    const there = dates ? [thereBy(dates, question)] : [];
    const one = (name: string, more: ExpressionSpecification[]) => {
      set(`${id}-${name}-fill`, [...more, ...own, ...there]);
      set(`${id}-${name}-line`, [...more, ['!', ['has', 'overview']], ...own, ...there]);
    };
    for (const [name, shown] of Object.entries(symbols)) one(name, [['in', symbol, ['literal', shown]]]);
    one('contested', [['==', ['get', 'contested'], true]]);
  }
  // An outline's status is that of today; of an earlier day only the ledger's ground is known.
  const current = question.asOf >= question.today;
  for (const name of Object.keys(OUTLINES) as (keyof typeof OUTLINES)[]) {
    const own = ofGround(OUTLINED.symbol, 'organisation', filter);
    set(`outline-${name}`, [['==', OUTLINED.outline, name], ...own, current]);
  }
  for (const { kind, dates } of POINTS) {
    const shown = !filter.contestedOnly && !filter.hidden.has(kind);
    set(`points-${kind}`, dates ? [shown, thereBy(dates, question)] : [shown]);
  }
}
