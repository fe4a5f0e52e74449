// Where the map's ground and points come from. This is the one place that knows: vector tiles of the server, each
// asked for again only when it has changed, and the tasks under way, which have no ground of their own.

import type { Feature, FeatureCollection, Geometry } from 'geojson';
import type { ExpressionSpecification } from 'maplibre-gl';
import { api, query } from '../api';
import { news } from '../live';
import { session } from '../session';
import { type Basis, seesGround } from '../standing/model';
import { type Bounds, extentOf } from './extent';

export type { Bounds };

export interface Question {
  asOf: string;
  basis: Basis;
  /** The server's day, of which nobody needs to ask: what is not dated is shown as it stands. */
  today: string;
}

/** Finer tiles say no more than these: the map shows them larger. */
export const FINEST = 16;

/** The collections that the reader sees. */
export type Layers = readonly string[];

const DRAWN = [
  'remaining',
  'released',
  'hazardous_area',
  'hazardous_area_points',
  'land_release',
  'eo_item',
  'accident',
];

/** The ledger's ground. */
const LEDGER = ['remaining', 'released'];

export async function loadLayers(signal?: AbortSignal): Promise<Layers> {
  const { collections } = await api.get<{ collections: { id: string }[] }>('/ogc/collections', {
    signal,
    headers: { accept: 'application/json' },
  });
  return collections.map(({ id }) => id);
}

/** What a map draws on a basis: where the ledger's ground is not open to the reader, records stand in for it. */
export function drawnOn(layers: Layers, basis: Basis): Layers {
  const open = layers.filter((id) => DRAWN.includes(id) && (seesGround(basis) || !LEDGER.includes(id)));
  // Releases as the figures count them say more than the releases themselves.
  return open.includes('released') ? open.filter((id) => id !== 'land_release') : open;
}

/** The address of the tiles that answer a question. */
export function tilesAt(layers: Layers, { asOf, basis, today }: Question): string {
  const names = drawnOn(layers, basis).join() || 'land_release';
  return query(`/tiles/${names}/{z}/{x}/{y}`, { as_of: asOf === today ? null : asOf, basis });
}

/** What lets a record in that was there at the end of the day: by a date, where it has one, else as it stands. */
export function thereBy(dates: string[], { asOf, today }: Question): ExpressionSpecification {
  const cases = dates.flatMap((date) => [
    ['has', date],
    ['<=', ['get', date], asOf],
  ]);
  // An overview has no dates, and what it shows is not left out for that.
  return ['case', ['has', 'overview'], true, ...cases, asOf >= today] as unknown as ExpressionSpecification;
}

interface Task extends Feature<Geometry | null> {
  id: string;
  stage: string;
  official?: string;
}

let tasks: { news: number; account: string | undefined; found: Promise<Task[]> } | null = null;

const PAGE = 1_000;

async function everyTask(): Promise<Task[]> {
  const all: Task[] = [];
  for (let after: number | null = null; ; ) {
    const path: string = query('/v1/records', { kind: 'task', limit: PAGE, after });
    const answer = await api.get<{ features: Task[]; next: number | null }>(path);
    all.push(...answer.features);
    after = answer.next;
    if (after === null) return all;
  }
}

/** Every task, asked for again when there is news: most have no outline but name the areas that they are about. */
export function loadTasks(): Promise<Task[]> {
  const account = session.value?.account;
  if (tasks?.news !== news.value || tasks.account !== account) {
    const found = everyTask();
    found.catch(() => {
      tasks = null;
    });
    tasks = { news: news.value, account, found };
  }
  return tasks.found;
}

function isUnderWay({ properties }: Task, day: string): boolean {
  const { status, start_date, completion_date } = (properties ?? {}) as Record<string, string | undefined>;
  const begun = start_date !== undefined && start_date <= day;
  return begun && (completion_date === undefined || completion_date > day) && status !== 'cancelled';
}

/** Whether a task counts on a basis, as records do. */
function counts({ stage, official }: Task, basis: Basis): boolean {
  return basis === 'official' ? official !== undefined : stage !== 'rejected' || official !== undefined;
}

/** Tasks under way, each where it is or at the areas that it names, as far as these are in view. */
export function tasksAt(
  found: Task[],
  areas: Map<string, Bounds>,
  { asOf, basis }: Question,
): FeatureCollection {
  const features = found
    .filter((task) => counts(task, basis) && isUnderWay(task, asOf))
    .flatMap((task) => {
      const named = (task.properties?.hazardous_area_ids ?? []) as string[];
      const places = task.geometry ? [extentOf(task.geometry)] : named.map((id) => areas.get(id));
      return places.flatMap((extent): Feature[] => {
        if (!extent) return [];
        const middle = [(extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2];
        return [
          {
            type: 'Feature',
            geometry: { type: 'Point', coordinates: middle },
            properties: { id: task.id, kind: 'task' },
          },
        ];
      });
    });
  return { type: 'FeatureCollection', features };
}
