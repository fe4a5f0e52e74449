// Which of what the tiles hold is drawn: what the reader has turned off, and what was not there yet on the day.

import type { Feature, Geometry } from 'geojson';
import type { ExpressionSpecification, Map as MapLibre } from 'maplibre-gl';
import { OUTLINES } from '../symbology';
import { type Layers, type Question, thereBy } from './sources';
import { GROUND, groundOf, OUTLINED, POINTS } from './style';

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

export const all = (conditions: (ExpressionSpecification | boolean)[]): ExpressionSpecification =>
  ['all', ...conditions] as ExpressionSpecification;

/** Which things of a layer the reader asks for: the same for what is drawn and for what is counted. */
export function wanted(organisation: string, filter: Filter): ExpressionSpecification[] {
  const conditions: ExpressionSpecification[] = [];
  if (filter.contestedOnly) conditions.push(['==', ['get', 'contested'], true]);
  if (filter.organisation) conditions.push(['==', ['get', organisation], filter.organisation]);
  return conditions;
}

/** The tasks that the reader asks for: those of whoever ordered them, and of whoever works on them. */
export function wantedTasks<T extends Feature<Geometry | null>>(tasks: T[], filter: Filter): T[] {
  // Nobody disagrees about the ground of a task: it has none.
  if (filter.contestedOnly) return [];
  if (!filter.organisation) return tasks;
  return tasks.filter((task) => {
    const ordered = 'organisation' in task && task.organisation === filter.organisation;
    return ordered || task.properties?.operator_id === filter.organisation;
  });
}

/** What lets ground in, but for what only one of its layers wants. */
function ofGround(
  symbol: ExpressionSpecification,
  organisation: string,
  filter: Filter,
): ExpressionSpecification[] {
  const hidden: ExpressionSpecification[] =
    filter.hidden.size > 0 ? [['!', ['in', symbol, ['literal', [...filter.hidden]]]]] : [];
  return [...hidden, ...wanted(organisation, filter)];
}

/** What a map's layers let through. */
export function apply(map: MapLibre, layers: Layers, question: Question, filter: Filter): void {
  const set = (layer: string, conditions: (ExpressionSpecification | boolean)[]) => {
    if (map.getLayer(layer)) map.setFilter(layer, all(conditions));
  };
  const shown = groundOf(layers, question.basis);
  for (const ground of GROUND) {
    const { layer, symbol, symbols, organisation, dates } = ground;
    const own = [shown.includes(ground), ...ofGround(symbol, organisation, filter)];
    const there = dates ? [thereBy(dates, question)] : [];
    const one = (name: string, more: ExpressionSpecification[]) => {
      set(`${layer}-${name}-fill`, [...more, ...own, ...there]);
      set(`${layer}-${name}-line`, [...more, ['!', ['has', 'overview']], ...own, ...there]);
    };
    for (const [name, shown] of Object.entries(symbols)) one(name, [['in', symbol, ['literal', shown]]]);
    one('contested', [['==', ['get', 'contested'], true]]);
    set(`${layer}-names`, [['!', ['has', 'overview']], ...own, ...there]);
  }
  // An outline's status is that of today; of an earlier day only the ledger's ground is known.
  const current = question.asOf >= question.today;
  for (const name of Object.keys(OUTLINES) as (keyof typeof OUTLINES)[]) {
    const own = ofGround(OUTLINED.symbol, 'organisation', filter);
    set(`outline-${name}`, [['==', OUTLINED.outline, name], ...own, current]);
  }
  for (const { kind, layer, dates } of POINTS) {
    const shown = !filter.hidden.has(kind);
    // Tasks are put there as they are asked for.
    const own = layer ? wanted('organisation', filter) : [];
    set(`points-${kind}`, [shown, ...own, ...(dates ? [thereBy(dates, question)] : [])]);
  }
}
