// What a page shows while it asks, when it was told, and when it cannot be told.

import { useEffect, useRef, useState } from 'preact/hooks';
import { news } from './live';
import { ended } from './session';

export interface Loaded<T> {
  data: T | undefined;
  fault: unknown;
  /** Asking, whether or not there is something older to show. */
  busy: boolean;
  reload: () => void;
}

/** Asks now, when `key` changes, and – if `live` – when there is news; meanwhile what was told before stays. */
export function useLoad<T>(
  key: string | null,
  ask: (signal: AbortSignal) => Promise<T>,
  live = true,
): Loaded<T> {
  const [state, setState] = useState<{ key: string | null; data?: T; fault?: unknown; busy: boolean }>({
    key: null,
    busy: true,
  });
  const [turn, setTurn] = useState(0);
  const newest = useRef(ask);
  newest.current = ask;
  const latest = live ? news.value : 0;
  /** The news that whoever was asked last knows of. */
  const known = useRef(latest);
  // Whoever logs in again is told what they were not while their session was over.
  const over = ended.value;
  useEffect(() => {
    if (key === null || over) return;
    known.current = latest;
    const stop = new AbortController();
    setState((was) => (was.key === key ? { ...was, busy: true } : { key, busy: true }));
    newest.current(stop.signal).then(
      (data) => !stop.signal.aborted && setState({ key, data, busy: false }),
      (fault) => !stop.signal.aborted && setState((was) => ({ ...was, fault, busy: false })),
    );
    return () => stop.abort();
  }, [key, turn, over]);
  // What is under way comes to its end first: on a slow line news would else keep every answer from coming.
  useEffect(() => {
    if (!state.busy && known.current !== latest) setTurn((n) => n + 1);
  }, [state.busy, latest]);
  const { data, fault, busy } = state.key === key ? state : { busy: true };
  return { data, fault, busy, reload: () => setTurn((n) => n + 1) };
}

/** What was shown last, while something else is on its way: ground must not vanish from a map because one moved it. */
export function useLast<T>(value: T | undefined): T | undefined {
  const [last, setLast] = useState(value);
  useEffect(() => {
    if (value !== undefined) setLast(value);
  }, [value]);
  return value ?? last;
}

export interface Page<T> {
  rows: T[];
  /** Where the next page begins; nothing on the last one. */
  next: number | null;
}

export interface Pages<T> extends Loaded<Page<T>> {
  more: () => void;
}

/** A list, page after page as its reader asks for them; all of them are asked for again when there is news. */
export function usePages<T>(
  key: string,
  ask: (after: number | null, signal: AbortSignal) => Promise<Page<T>>,
): Pages<T> {
  const [wanted, setWanted] = useState({ key, pages: 1 });
  const pages = wanted.key === key ? wanted.pages : 1;
  const loaded = useLoad(key, async (signal): Promise<Page<T>> => {
    const rows: T[] = [];
    let next: number | null = null;
    for (let page = 0; page < pages; page++) {
      const found: Page<T> = await ask(next, signal);
      rows.push(...found.rows);
      next = found.next;
      if (next === null) break;
    }
    return { rows, next };
  });
  const more = () => {
    setWanted({ key, pages: pages + 1 });
    loaded.reload();
  };
  return { ...loaded, more };
}
