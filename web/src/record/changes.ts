// What makes one state of a record's fields another.

import { type Schema, same, type Value } from './model';
import { appended, type Change } from './rows';

export function changesOf(
  schema: Schema,
  before: Record<string, Value>,
  after: Record<string, Value>,
): Record<string, Change> {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const changes: Record<string, Change> = {};
  for (const name of names) {
    if (same(before[name], after[name])) continue;
    const isAppended = schema.properties[name]?.['x-merge'] === 'append';
    if (isAppended) {
      const change = appended(before[name], after[name]);
      if (change.add?.length || change.remove?.length) changes[name] = change;
    } else changes[name] = { to: after[name] ?? null };
  }
  return changes;
}
