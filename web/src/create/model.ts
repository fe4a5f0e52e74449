// A record as it is made in the office: through the door of map programs (OGC API – Features, Part 4), which makes a draft.

import type { Geometry } from 'geojson';
import { api } from '../api';
import type { Place } from '../map/measure';
import { Problem } from '../problem';
import { changesOf } from '../record/changes';
import { loadRecord, type RecordFeature, type Schema, same, type Value } from '../record/model';
import { session } from '../session';

/** What ground is drawn as; nothing where a record has no place. */
export type Shape = 'Polygon' | 'LineString' | 'Point';

const SHAPES: Shape[] = ['Polygon', 'LineString', 'Point'];

/** The shapes that a kind may have, in the order of its collections. */
export function shapesOf(schema: Schema): Shape[] {
  const rule = schema['x-geometry'];
  if (rule === 'none') return [];
  return SHAPES.filter((shape) => rule.types.some((type) => type.endsWith(shape)));
}

export function needsPlace(schema: Schema): boolean {
  return schema['x-geometry'] !== 'none' && schema['x-geometry'].required;
}

/** Places that a shape needs at least. */
export const FEWEST: Record<Shape, number> = { Polygon: 3, LineString: 2, Point: 1 };

/** The places as a geometry; nothing where there are none. */
export function geometryOf(shape: Shape | null, places: Place[]): Geometry | null {
  const [first] = places;
  if (!shape || !first) return null;
  if (shape === 'Point') return { type: 'Point', coordinates: first };
  if (shape === 'LineString') return { type: 'LineString', coordinates: places };
  const last = places.at(-1) as Place;
  // Some write the first place again at the end, some do not.
  const closed = last[0] === first[0] && last[1] === first[1];
  return { type: 'Polygon', coordinates: [closed ? places : [...places, first]] };
}

/** The collection of a kind that holds a shape: the others stand beside the first. */
function collectionOf(kind: string, schema: Schema, shape: Shape | null): string {
  if (!shape || shape === shapesOf(schema)[0]) return kind;
  return `${kind}_${shape === 'LineString' ? 'lines' : 'points'}`;
}

export interface Made {
  id: string;
  version: string;
}

/** An id of a record that is not there yet: UUIDv7, so that databases keep what came together together. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  new DataView(bytes.buffer).setBigUint64(
    0,
    (BigInt(Date.now()) << 16n) | 0x7000n | BigInt((bytes[6] ?? 0) & 0x0f),
  );
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const isTaken = (fault: unknown) => fault instanceof Problem && fault.code === 'taken';

/** Makes a draft of the reader's organisation; once, however often it is asked for by this id. */
export async function make(
  id: string,
  kind: string,
  schema: Schema,
  shape: Shape | null,
  places: Place[],
  properties: Record<string, Value>,
): Promise<Made> {
  const geometry = geometryOf(shape, places);
  const collection = collectionOf(kind, schema, geometry && shape);
  try {
    const feature = { type: 'Feature', id, geometry, properties };
    const answer = await api.create(`/ogc/collections/${collection}/items`, feature);
    return { id, version: (answer.headers.get('etag') ?? '').replaceAll('"', '') };
  } catch (fault) {
    // Nobody else knows the id: it was made the first time, and the answer was lost.
    if (isTaken(fault)) return correct(id, schema, geometry, properties);
    throw fault;
  }
}

/** Changes what is there to what has been typed since. */
async function correct(
  id: string,
  schema: Schema,
  geometry: Geometry | null,
  properties: Record<string, Value>,
): Promise<Made> {
  const there = await loadRecord(id);
  // What the server has given it, nobody has typed.
  const typed = Object.fromEntries(Object.keys(properties).map((name) => [name, there.properties[name]]));
  const changes = changesOf(schema, typed, properties);
  if (!same(there.geometry, geometry)) changes.geometry = { to: geometry };
  if (Object.keys(changes).length === 0) return there;
  const headers = { 'if-match': `"${there.version}"` };
  const { version } = await api.patch<{ version: string }>(`/v1/records/${id}`, { changes }, { headers });
  return { id, version };
}

const OF_AUTHORITY = ['task', 'handover'];
const NOT_OF_SURVEYORS = ['task', 'qm_inspection'];

/** Whether a role makes records of a kind: so that nobody fills in a form in vain. The server decides. */
export function mayMake(role: string | undefined, kind: string): boolean {
  switch (role) {
    case 'authority':
      return OF_AUTHORITY.includes(kind);
    case 'qa_officer':
      return kind === 'qm_inspection';
    case 'surveyor':
      return !NOT_OF_SURVEYORS.includes(kind);
    default:
      return ['supervisor', 'programme_manager', 'im_officer'].includes(role ?? '');
  }
}

/** The same of a record that is there (src/model/role.rs, `may_write`). What people disagree about is settled first, and
 * what is out of use stays as it is. */
export function mayEdit(record: RecordFeature): boolean {
  const { role, organisation } = session.value ?? {};
  if (record.contested || record.retired || !mayMake(role, record.kind)) return false;
  if (role === 'im_officer' || role === 'authority') return true;
  return record.organisation === organisation && !(role === 'supervisor' && record.official);
}

export async function loadKinds(signal: AbortSignal): Promise<string[]> {
  const { schemas } = await api.get<{ schemas: { kind: string }[] }>('/v1/schemas', { signal });
  return [...new Set(schemas.map(({ kind }) => kind))];
}
