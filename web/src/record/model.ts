// A record, its kind's schema and its past, as the API tells them.

import type { Geometry } from 'geojson';
import { api, query } from '../api';
import { term } from '../i18n';
import { useLoad } from '../load';

export type Value = unknown;

export interface RecordFeature {
  id: string;
  kind: string;
  version: string;
  stage: string;
  official?: string;
  organisation: string;
  author: string;
  contested?: boolean;
  retired?: boolean;
  gravest?: string;
  candidates?: Geometry[];
  geometry: Geometry | null;
  properties: Record<string, Value>;
  attachments?: { claimed: number; here: number };
}

export interface Version {
  version: string;
  seq: number;
  op: string;
  base_version: string | null;
  branch: boolean;
  author: string;
  author_name: string | null;
  device: string;
  recorded_at: string;
  stage: string;
  reason: string | null;
  area_m2: number | null;
  diff: Record<string, { from: Value; to: Value }>;
}

export interface Property {
  $ref?: string;
  type?: string;
  format?: string;
  enum?: string[];
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  readOnly?: boolean;
  properties?: Record<string, Property>;
  /** What a row needs that is not struck out. */
  else?: { required?: string[] };
  'x-label'?: string;
  'x-labels'?: Record<string, string>;
  'x-unit'?: string;
  'x-merge'?: string;
  'x-ref'?: string;
  /** It holds the id of an organisation. */
  'x-organisation'?: boolean;
  items?: Property;
}

export interface Schema {
  title: string;
  'x-geometry': 'none' | { types: string[]; required: boolean };
  required?: string[];
  /** Its fields that say when it holds. */
  'x-time'?: { from: string; to?: string };
  properties: Record<string, Property>;
}

const schemas = new Map<string, Promise<Schema>>();

export function loadSchema(kind: string): Promise<Schema> {
  let known = schemas.get(kind);
  if (!known) {
    known = api.get<Schema>(`/v1/schemas/${kind}`);
    known.catch(() => schemas.delete(kind));
    schemas.set(kind, known);
  }
  return known;
}

export function useSchema(kind: string | undefined): Schema | undefined {
  return useLoad(kind ? `schema ${kind}` : null, () => loadSchema(kind as string), false).data;
}

export function loadRecord(id: string, signal?: AbortSignal): Promise<RecordFeature> {
  return api.get<RecordFeature>(`/v1/records/${id}`, { signal });
}

export async function loadHistory(id: string, signal?: AbortSignal): Promise<Version[]> {
  return (await api.get<{ versions: Version[] }>(`/v1/records/${id}/history`, { signal })).versions;
}

export function loadGround<T>(
  id: string,
  kind: string,
  asOf: string,
  basis: string,
  signal: AbortSignal,
): Promise<T> {
  const which = kind === 'land_release' ? { release: id } : { hazard: id };
  return api.get<T>(query('/v1/ledger/pieces', { as_of: asOf, basis, ...which }), { signal });
}

/** What a field, or a part of one, is called by people. */
export function nameField(property: Property | undefined, field: string): string {
  const label = property?.['x-label'];
  return label ? term(label) : field.replaceAll('_', ' ');
}

export function labelOf(schema: Schema | undefined, field: string): string {
  return nameField(schema?.properties[field], field);
}

/** A code in words. */
export function nameCode(property: Property | undefined, code: string): string {
  const label = property?.['x-labels']?.[code];
  return label ? term(label) : code;
}

/** What a record is called: its reference, the operator's own, its name, or the end of its id. */
export function nameOf(record: { id: string; properties: Record<string, Value> }): string {
  const { reference, local_reference, name } = record.properties;
  return String(reference ?? local_reference ?? name ?? record.id.slice(-8));
}

/** What a record said at one version: the changes on its own line up to there, one on the other. */
export function stateAt(versions: Version[], version: string): Record<string, Value> {
  const state: Record<string, Value> = {};
  for (const step of versions) {
    if (!step.branch) for (const [field, { to }] of Object.entries(step.diff)) state[field] = to;
    if (step.version === version) break;
  }
  return state;
}

/** Whether two values say the same. */
export function same(one: Value, other: Value): boolean {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}
