// A quarantined edit, field by field.

import { faultsByField } from '../problem';
import type { Property, Schema, Value } from '../record/model';

interface FieldFault {
  pointer?: string;
  message?: string;
}

export interface Quarantined {
  mutation_id: string;
  record_id: string;
  kind: string;
  organisation: string;
  author: string;
  since: string;
  problem: { code: string; detail: string; faults?: FieldFault[] };
  mutation: { changes?: Record<string, Change> } & Record<string, unknown>;
}

export interface Change {
  from?: Value;
  to?: Value;
  add?: Value[];
  remove?: string[];
}

export interface Row {
  name: string;
  change: Change;
  /** What the device sent, as text. */
  sent: string | undefined;
  leftOut: boolean;
  /** What was typed for it is no JSON. */
  unread: boolean;
}

/** What the edit changes, and what is found missing in it. */
export function rowsOf({ mutation, problem }: Quarantined, schema: Schema | undefined): Row[] {
  const changes = mutation.changes ?? {};
  const missing = [...faultsByField(problem.faults).keys()].filter(
    (name) => !(name in changes) && schema && name in schema.properties,
  );
  const emptyOf = (name: string): Change =>
    schema?.properties[name]?.['x-merge'] === 'append' ? { add: [] } : {};
  const row = (name: string, change: Change): Row => {
    const sent = change.to ?? change.add;
    return {
      name,
      change,
      sent: sent == null ? undefined : JSON.stringify(sent),
      leftOut: false,
      unread: false,
    };
  };
  return [
    ...missing.map((name) => row(name, emptyOf(name))),
    ...Object.entries(changes).map(([name, change]) => row(name, change)),
  ];
}

const isAppended = (change: Change) => change.add !== undefined;

const valueIn = (change: Change): Value => (isAppended(change) ? change.add : change.to);

/** Whether a control of the property can show the value. */
function takes(property: Property | undefined, value: Value): boolean {
  if (value === undefined || value === null || !property) return true;
  if (property.$ref === '#/$defs/position') {
    return (
      Array.isArray(value) && [2, 3].includes(value.length) && value.every((one) => typeof one === 'number')
    );
  }
  switch (property.type) {
    case 'array':
      return Array.isArray(value) && value.every((one) => one !== null && takes(property.items, one));
    case 'object':
      return (
        typeof value === 'object' &&
        !Array.isArray(value) &&
        Object.entries(value).every(([name, part]) => takes(property.properties?.[name], part))
      );
    case 'integer':
    case 'number':
      return typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
    default:
      return typeof value === 'string';
  }
}

/** Whether a field's control can say the change. Of a single value that it cannot show it shows nothing; from several it
 * would take away what it does not show. */
export function controlled({ name, change }: Row, schema: Schema | undefined): boolean {
  const property = schema?.properties[name];
  if (!property || property.readOnly || change.remove?.length) return false;
  const isWhole = property.type === 'array' || property.type === 'object';
  return !isWhole || takes(property, valueIn(change));
}

export function shownValue({ name, change }: Row, schema: Schema | undefined): Value {
  const value = valueIn(change);
  return value !== null && takes(schema?.properties[name], value) ? value : undefined;
}

export function withValue(row: Row, value: Value): Row {
  const { change } = row;
  if (isAppended(change)) return { ...row, change: { ...change, add: (value as Value[] | undefined) ?? [] } };
  // An emptied field says so: null.
  return { ...row, change: { ...change, to: value ?? null } };
}

/** The changes that are sent. */
export function changesIn(rows: Row[]): Record<string, Change> {
  const says = ({ to, add, remove }: Change) => to !== undefined || add?.length || remove?.length;
  const kept = rows.filter(({ change, leftOut }) => !leftOut && says(change));
  return Object.fromEntries(kept.map(({ name, change }) => [name, change]));
}

/** A change as somebody typed it; nothing where it is none. */
export function readChange(text: string): Change | undefined {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === 'object' && read !== null && !Array.isArray(read) ? read : undefined;
  } catch {
    return undefined;
  }
}
