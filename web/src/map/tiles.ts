// How maps come by their tiles: asked for like everything else, as whoever is logged in, and until they are there. Where one
// is missing the map has a hole, which looks like ground without mines.

import { signal as state } from '@preact/signals';
import { addProtocol } from 'maplibre-gl';
import { api } from '../api';

const SCHEME = 'programme';

interface Question {
  /** Where the tiles of a map are asked for. */
  address: string;
  /** How often it has been asked anew, for another day or because of news. */
  turn: number;
}

/** What each map that there is asks now, whatever it asked when a tile was begun. */
const questions = new Map<string, Question>();

export interface Place {
  z: number;
  x: number;
  y: number;
}

/** At which turn a map was given each tile, and at which it was told that this was too early. */
const given = new Map<string, { turn: number; told: number }>();

/** Holes: tiles that were asked for in vain, by the map and the place in which they belong. */
const missing = state<ReadonlySet<string>>(new Set());

const waker = new EventTarget();
const WAKE = 'wake';
addEventListener('online', () => waker.dispatchEvent(new Event(WAKE)));

/** A server that is busy says so, and a network comes back. */
const AGAIN_MS = [1_000, 4_000, 15_000];

/** What a map's source names: its own name, and places. */
export function sourceOf(map: string): string[] {
  return [`${SCHEME}://${map}/{z}/{x}/{y}`];
}

/** Has a map ask at an address from now on. */
export function askAt(map: string, address: string): void {
  questions.set(map, { address, turn: (questions.get(map)?.turn ?? 0) + 1 });
  wake();
}

/** Has a map ask again what it has asked. */
export function askAgain(map: string): void {
  const known = questions.get(map);
  if (known) askAt(map, known.address);
}

/** A map that is gone asks for nothing. */
export function forget(map: string): void {
  questions.delete(map);
  for (const tile of [...given.keys()]) if (isOf(map, tile)) given.delete(tile);
  wake();
}

const isOf = (map: string, tile: string) => tile.startsWith(`${map}/`);

/**
 * Tiles of an earlier turn where a map looks; in each turn a tile is told once. MapLibre may take a tile that is on its way, or that it
 * only draws anew, for the answer to a later question.
 */
export function takeStale(map: string, isSeen: (place: Place) => boolean): Place[] {
  const turn = questions.get(map)?.turn ?? 0;
  return [...given].flatMap(([tile, then]) => {
    const [z = 0, x = 0, y = 0] = tile.split('/').slice(1).map(Number);
    const isCurrent = then.turn === turn || then.told === turn;
    if (!isOf(map, tile) || isCurrent || !isSeen({ z, x, y })) return [];
    then.told = turn;
    return [{ z, x, y }];
  });
}

/** Asks at once for everything that is missing. */
export function wake(): void {
  waker.dispatchEvent(new Event(WAKE));
}

/** How many tiles of a map are missing. */
export function holesOf(map: string): number {
  return [...missing.value].filter((tile) => isOf(map, tile)).length;
}

function note(tile: string, isMissing: boolean) {
  if (missing.value.has(tile) === isMissing) return;
  const next = new Set(missing.value);
  if (isMissing) next.add(tile);
  else next.delete(tile);
  missing.value = next;
}

/** Until the time is over, the tile is not wanted any more, or there is reason to try again. */
function pause(wait: number, signal: AbortSignal): Promise<void> {
  return new Promise((go) => {
    const over = new AbortController();
    const now = () => {
      clearTimeout(timer);
      over.abort();
      go();
    };
    const timer = setTimeout(now, wait);
    waker.addEventListener(WAKE, now, { signal: over.signal });
    signal.addEventListener('abort', now, { signal: over.signal });
  });
}

/**
 * A tile, however long it takes: MapLibre does not ask again for one that has failed, and calls a map with holes idle.
 */
async function fetchTile(map: string, place: string, signal: AbortSignal): Promise<ArrayBuffer> {
  const [z = '', x = '', y = ''] = place.split('/');
  for (let failures = 0; ; failures++) {
    const question = questions.get(map);
    if (!question || signal.aborted) throw new DOMException('nobody wants this tile any more', 'AbortError');
    try {
      const path = question.address.replace('{z}', z).replace('{x}', x).replace('{y}', y);
      const tile = await (await api.raw(path, { signal })).arrayBuffer();
      given.set(`${map}/${place}`, { turn: question.turn, told: 0 });
      return tile;
    } catch {
      // The second attempt may only come too early; after it, the hole is one.
      if (failures > 0 && !signal.aborted) note(`${map}/${place}`, true);
      await pause(AGAIN_MS[Math.min(failures, AGAIN_MS.length - 1)] ?? 0, signal);
    }
  }
}

addProtocol(SCHEME, async ({ url }, { signal }) => {
  const [, map = '', place = ''] = /^\w+:\/\/([^/]+)\/(.*)$/.exec(url) ?? [];
  try {
    return { data: await fetchTile(map, place, signal) };
  } finally {
    note(`${map}/${place}`, false);
  }
});
