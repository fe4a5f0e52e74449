import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** A part of a form in which the first field that was found wrong is gone to. */
export function useWrongFocused<E extends HTMLElement>(wrong: Map<string, string>): RefObject<E | null> {
  const form = useRef<E>(null);
  const found = [...wrong.values()].join('\n');
  useEffect(() => {
    if (found) form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
  }, [found]);
  return form;
}
