// What is open beside a list stays open, however the list moves: what was typed there is about it and nothing else.

import { useRef } from 'preact/hooks';

export interface Opened {
  id: string | undefined;
  isListed: boolean;
  /** What stands beside it in the list. */
  next: string | null;
}

/** Which one of a list is open: the one that is asked for, or what was the first when the list came. */
export function useOpened(list: readonly { id: string }[], asked: string | null): Opened {
  const first = useRef<string | undefined>(undefined);
  const before = useRef(asked);
  // After the last that was asked for, the first of those that are left.
  if (before.current !== null && asked === null) first.current = undefined;
  before.current = asked;
  first.current ??= list[0]?.id;
  const id = asked ?? first.current;
  const place = list.findIndex((item) => item.id === id);
  const next = list[place + 1] ?? list[place - 1];
  return { id, isListed: place >= 0, next: next?.id ?? null };
}
