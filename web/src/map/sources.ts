// Where the map's ground and points come from. This is the one place that knows: by viewport from the API's GeoJSON
// today, from vector tiles when the server makes them – then these functions become `sources` of the style.

import type { Feature, FeatureCollection, Geometry } from 'geojson';
import { api, query } from '../api';
import { head } from '../live';
import { may } from '../session';
import type { Basis } from '../standing/model';
import { outlineOf } from '../symbology';
import { type Bounds, extentOf } from './extent';

export type { Bounds };

export interface Question {
  bounds: Bounds;
  asOf: string;
  basis: Basis;
  /** The day that it is: what is not dated is shown as it stands. */
  today: string;
}

/** Kinds of points, with the date from which one is there. */
export const POINTS = {
  eo_item: 'found_date',
  accident: 'accident_date',
} as const;
export type PointKind = keyof typeof POINTS;

export interface Shown {
  /** Ground: `symbol` says how it looks, `record` whose it is. */
  ground: FeatureCollection;
  /** Outlines of hazardous areas by status: `outline`. */
  outlines: FeatureCollection;
  /** EO finds, accidents, tasks, areas known by a point: `kind`. */
  points: FeatureCollection;
  /** There is more in view than was fetched: to be said, because what is not drawn is not clear. */
  cut: boolean;
}

interface RecordFeature extends Feature<Geometry | null> {
  id: string;
  kind: string;
  stage: string;
  contested?: boolean;
  gravest?: string;
  candidates?: Geometry[];
  organisation: string;
}

const PAGE = 1_000;
/** Pages of one kind that a view asks for at most. */
const PAGES = 5;

type Found = [records: RecordFeature[], cut: boolean];

async function records(kind: string, bounds: Bounds | null, signal?: AbortSignal): Promise<Found> {
  const all: RecordFeature[] = [];
  let after: number | null = null;
  for (let page = 0; page < PAGES; page++) {
    const path: string = query('/v1/records', { kind, bbox: bounds?.join(), limit: PAGE, after });
    const answer = await api.get<{ features: RecordFeature[]; next: number | null }>(path, { signal });
    all.push(...answer.features);
    after = answer.next;
    if (after === null) return [all, false];
  }
  return [all, true];
}

function collection(features: Feature[]): FeatureCollection {
  return { type: 'FeatureCollection', features };
}

function drawn(geometry: Geometry, properties: Record<string, unknown>): Feature {
  return { type: 'Feature', geometry, properties };
}

const isPoint = (geometry: Geometry) => geometry.type === 'Point' || geometry.type === 'MultiPoint';

/** Disjoint pieces of ground at the end of a day, as the figures count them. */
async function pieces(question: Question, signal: AbortSignal): Promise<Feature[]> {
  const { asOf, basis, bounds } = question;
  const path = query('/v1/ledger/pieces', { as_of: asOf, basis, bbox: bounds.join() });
  const answer = await api.get<FeatureCollection>(path, { signal });
  return answer.features.map(({ geometry, properties }) => {
    const piece = properties ?? {};
    const released = piece.state === 'released';
    return drawn(geometry, {
      symbol: released ? piece.result : piece.classification,
      contested: Boolean(piece.contested) && !released,
      record: released ? piece.land_release : piece.hazardous_area,
      hazard: piece.hazardous_area,
      organisation: piece.organisation,
    });
  });
}

/** Ground as records say it, for those to whom the ledger's pieces are not open. */
function groundOf(found: RecordFeature[], question: Question): Feature[] {
  return found.flatMap((record) => {
    const { geometry } = record;
    if (!geometry || isPoint(geometry)) return [];
    const said = record.properties ?? {};
    const release = record.kind === 'land_release';
    const from = String((release ? said.completion_date : said.date_identified) ?? '');
    if (from > question.asOf) return [];
    const symbol = release ? said.result : String(record.gravest ?? said.classification).toLowerCase();
    const ground = {
      symbol,
      contested: Boolean(record.contested),
      record: record.id,
      organisation: record.organisation,
    };
    return [geometry, ...(record.candidates ?? [])].map((outline) => drawn(outline, ground));
  });
}

function outlinesOf(hazards: RecordFeature[]): Feature[] {
  return hazards.flatMap(({ id, geometry, properties, contested }) =>
    geometry && !isPoint(geometry)
      ? [
          drawn(geometry, {
            record: id,
            outline: outlineOf(String(properties?.status)),
            contested: Boolean(contested),
          }),
        ]
      : [],
  );
}

function pointsOf(found: RecordFeature[], question: Question): Feature[] {
  return found.flatMap(({ id, kind, geometry, properties }) => {
    if (!geometry || !isPoint(geometry)) return [];
    const dated = POINTS[kind as PointKind] ?? 'date_identified';
    const from = properties?.[dated];
    const there = from ? String(from) <= question.asOf : question.asOf >= question.today;
    return there ? [drawn(geometry, { record: id, kind })] : [];
  });
}

let tasks: { head: number; found: Promise<Found> } | null = null;

/** Every task, asked for again when the log has moved: most have no outline but name the areas that they are about. */
function loadTasks(): Promise<Found> {
  if (tasks?.head !== head.value) {
    const found = records('task', null);
    found.catch(() => {
      tasks = null;
    });
    tasks = { head: head.value, found };
  }
  return tasks.found;
}

function isUnderWay({ properties }: RecordFeature, day: string): boolean {
  const { status, start_date, completion_date } = (properties ?? {}) as Record<string, string | undefined>;
  const begun = start_date !== undefined && start_date <= day;
  return begun && (completion_date === undefined || completion_date > day) && status !== 'cancelled';
}

/** Tasks under way, each where it is or at the areas in view that it names. */
function tasksOf(found: RecordFeature[], hazards: RecordFeature[], day: string): Feature[] {
  const areas = new Map(hazards.map(({ id, geometry }) => [id, geometry]));
  return found
    .filter((task) => isUnderWay(task, day))
    .flatMap((task) => {
      const named = (task.properties?.hazardous_area_ids ?? []) as string[];
      const places = task.geometry ? [task.geometry] : named.map((id) => areas.get(id));
      return places.flatMap((place) => {
        const extent = place && extentOf(place);
        if (!extent) return [];
        const middle = [(extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2];
        return [drawn({ type: 'Point', coordinates: middle }, { record: task.id, kind: 'task' })];
      });
    });
}

/** Everything in view at the end of a day, as far as the reader may see it. */
export async function load(question: Question, signal: AbortSignal): Promise<Shown> {
  const ledger = may('ReadPieces');
  const kinds = ['hazardous_area', ...Object.keys(POINTS), ...(ledger ? [] : ['land_release'])];
  const [ground, ordered, ...found] = await Promise.all([
    ledger ? pieces(question, signal) : [],
    loadTasks(),
    ...kinds.map((kind) => records(kind, question.bounds, signal)),
  ]);
  const all = found.flatMap(([features]) => features);
  const hazards = all.filter((record) => record.kind === 'hazardous_area');
  return {
    ground: collection(ledger ? ground : groundOf(all.filter(isGround), question)),
    // An outline's status is that of today; of an earlier day only the ledger's ground is known.
    outlines: collection(question.asOf >= question.today ? outlinesOf(hazards) : []),
    points: collection([...pointsOf(all, question), ...tasksOf(ordered[0], hazards, question.asOf)]),
    cut: ordered[1] || found.some(([, cut]) => cut),
  };
}

const isGround = (record: RecordFeature) =>
  record.kind === 'hazardous_area' || record.kind === 'land_release';
