// A conflict's three sides, and the fields of it that are settled together.

import type { Geometry } from 'geojson';
import { api, query } from '../api';
import type { Page } from '../load';
import { type Schema, same, type Value } from '../record/model';
import { appended, type Change } from '../record/rows';

export interface Side {
  version: string;
  author: string;
  device: string;
  recorded_at: string;
  values: Record<string, Value>;
  geometry: Geometry | null;
  area_m2: number | null;
  retired: boolean;
}

export interface Conflict {
  id: string;
  record_id: string;
  kind: string;
  fields: string[];
  /** What the conflicting edit changed, whether it disagrees or not: none of it stands. */
  changed: string[];
  safety: boolean;
  opened_at: string;
  base: Side | null;
  theirs: Side | null;
  mine: Side | null;
  seen: string | null;
  settled: unknown;
}

export const SIDES = ['base', 'theirs', 'mine'] as const;
export type SideName = (typeof SIDES)[number];

export interface Group {
  name: string;
  fields: string[];
}

/** What may disagree that is no field of a record: there is nothing of it to choose, only something to know. */
export const CAUSES = ['record_id', 'stage', 'txn', 'settles'] as const;
export type Cause = (typeof CAUSES)[number];

export function causesOf(conflict: Conflict): Cause[] {
  return CAUSES.filter((cause) => conflict.fields.includes(cause));
}

/** What there is to choose: the fields that disagree, and whatever else of the edit does not stand as it was meant. */
function disputed(conflict: Conflict): string[] {
  const fields = conflict.fields.filter((field) => !(CAUSES as readonly string[]).includes(field));
  const others = conflict.changed.filter(
    (field) =>
      !fields.includes(field) && !same(valueOn(conflict.mine, field), valueOn(conflict.theirs, field)),
  );
  return [...fields, ...others];
}

/** Fields that say one thing together – a status, its date and its reason – are chosen together. */
export function groupsOf(conflict: Conflict): Group[] {
  const all = disputed(conflict);
  const stems = all.filter((field) => all.some((other) => other.startsWith(`${field}_`)));
  const groups = new Map<string, string[]>();
  for (const field of all) {
    const stem = stems.find((known) => field.startsWith(`${known}_`)) ?? field;
    groups.set(stem, [...(groups.get(stem) ?? []), field]);
  }
  return [...groups].map(([name, fields]) => ({ name, fields }));
}

export function valueOn(side: Side | null, field: string): Value {
  if (!side) return null;
  return field === 'geometry' ? side.geometry : (side.values[field] ?? null);
}

/** What is changed of the head, so that each group says what was chosen for it. */
export function changesOf(
  conflict: Conflict,
  chosen: Record<string, SideName>,
  schema: Schema | undefined,
): Record<string, Change> {
  const changes: Record<string, Change> = {};
  for (const { name, fields } of groupsOf(conflict)) {
    const side = chosen[name];
    if (!side || side === 'theirs') continue;
    for (const field of fields) {
      const [stands, value] = [valueOn(conflict.theirs, field), valueOn(conflict[side], field)];
      if (same(value, stands)) continue;
      const isAppended = schema?.properties[field]?.['x-merge'] === 'append';
      changes[field] = isAppended ? appended(stands, value) : { to: value };
    }
  }
  return changes;
}

export async function loadConflicts(after: number | null, signal: AbortSignal): Promise<Page<Conflict>> {
  const path = query('/v1/conflicts', { after });
  const { conflicts, next } = await api.get<{ conflicts: Conflict[]; next: number | null }>(path, { signal });
  return { rows: conflicts, next };
}

export function loadConflict(id: string, signal: AbortSignal): Promise<Conflict> {
  return api.get<Conflict>(`/v1/conflicts/${id}`, { signal });
}

/** Whether another state of the record would be settled than the one that was looked at. */
export function hasMoved(conflict: Conflict, now: Conflict): boolean {
  return conflict.theirs?.version !== now.theirs?.version || conflict.seen !== now.seen;
}

export function settle(
  conflict: Conflict,
  chosen: Record<string, SideName>,
  schema: Schema | undefined,
  reason: string,
): Promise<unknown> {
  return api.post(`/v1/conflicts/${conflict.id}/resolve`, {
    version: conflict.theirs?.version ?? null,
    seen: conflict.seen,
    changes: changesOf(conflict, chosen, schema),
    reason,
  });
}
