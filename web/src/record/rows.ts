// Fields whose rows only grow: what is new is added, what is gone is struck out, and what is changed is both.

import { newId } from '../create/model';
import { same, type Value } from './model';

interface Row {
  id: string;
  removed?: boolean;
}

export interface Change {
  to?: Value;
  add?: Row[];
  remove?: string[];
}

/** What makes the rows of one state those of another. A row that was struck out does not come back by its id. */
export function appended(before: Value, after: Value): Change {
  const [was, is] = [before, after].map((rows) => (rows ?? []) as Row[]) as [Row[], Row[]];
  const known = new Map(was.map((row) => [row.id, row]));
  const wanted = new Map(is.map((row) => [row.id, row]));
  const stands = ({ removed }: Row) => !removed;
  const added = is.filter((row) => stands(row) && !same(known.get(row.id), row));
  const gone = was.filter((row) => stands(row) && !same(wanted.get(row.id), row));
  return {
    add: added.map((row) => (known.has(row.id) ? { ...row, id: newId() } : row)),
    remove: gone.map(({ id }) => id),
  };
}
