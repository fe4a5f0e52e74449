import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

const CONTROLS = 'input, select, textarea, button';

/** A part of a form in which the first field that was found wrong is gone to. */
export function useWrongFocused<E extends HTMLElement>(wrong: Map<string, string>): RefObject<E | null> {
  const form = useRef<E>(null);
  const found = [...wrong.values()].join('\n');
  useEffect(() => {
    if (!found) return;
    const first = form.current?.querySelector<HTMLElement>('[aria-invalid=true]');
    // A group takes no focus itself.
    const control = first?.matches(CONTROLS) ? first : first?.querySelector<HTMLElement>(CONTROLS);
    control?.focus();
  }, [found]);
  return form;
}

/**
 * Whether everything that stands in a form can be taken. Where it cannot, each control of which that is so is told
 * (`invalid`), and the first is gone to. What is missing or too much is for the server to say.
 */
export function isReadable(form: HTMLFormElement): boolean {
  const inputs = [...form.elements].filter((control) => control instanceof HTMLInputElement);
  const unread = inputs.filter(({ validity }) => validity.badInput || validity.customError);
  for (const input of unread) input.checkValidity();
  const [first] = unread;
  // Nothing in a part that is closed can be gone to.
  first?.closest('details')?.setAttribute('open', '');
  first?.focus();
  return unread.length === 0;
}
