import { useEffect } from 'preact/hooks';

/** Where the focus goes with what is taken away, the page has it: a keyboard goes on from there, not from the top. */
export function useFocusKept(): void {
  useEffect(
    () => () =>
      queueMicrotask(() => {
        if (document.activeElement !== document.body) return;
        document.querySelector<HTMLElement>('#main')?.focus({ preventScroll: true });
      }),
    [],
  );
}
