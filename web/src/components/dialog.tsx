import type { ComponentChildren, RefObject } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';

/**
 * Opens a dialog of the browser, which keeps the focus. At Escape it only says so: who opened it takes it away, or asks
 * first. When it goes, in whatever way, the focus goes back to where it was; to the page, where that is gone.
 */
export function useModal(dialog: RefObject<HTMLDialogElement | null>, onClose: () => void) {
  const newest = useRef(onClose);
  newest.current = onClose;
  useLayoutEffect(() => {
    const open = dialog.current as HTMLDialogElement;
    const before = document.activeElement;
    const cancel = (event: Event) => {
      // Choosing a file within it can be cancelled, too.
      if (event.target !== open) return;
      event.preventDefault();
      newest.current();
    };
    // Browsers close a dialog at the second Escape, whatever is said.
    const close = () => {
      open.showModal();
      newest.current();
    };
    open.showModal();
    open.addEventListener('cancel', cancel);
    open.addEventListener('close', close);
    return () => {
      open.removeEventListener('cancel', cancel);
      open.removeEventListener('close', close);
      // The browser gives the focus back on closing only, not when an open dialog is taken away.
      open.close();
      if (!before?.isConnected) document.querySelector<HTMLElement>('#main')?.focus();
    };
  }, [dialog]);
}

const FIELD = ['input', 'select', 'textarea'].map((name) => `form ${name}:enabled`).join();

/** A dialog of the browser: it keeps the focus, and Escape asks to close it. */
export function Dialog(props: {
  title: string;
  wide?: boolean;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  useModal(dialog, props.onClose);
  // Its first field, not the way out of it.
  useLayoutEffect(() => dialog.current?.querySelector<HTMLElement>(FIELD)?.focus(), []);
  return (
    <dialog ref={dialog} class={props.wide ? 'wide' : undefined} aria-labelledby={title}>
      <header>
        <h2 id={title}>{props.title}</h2>
        <button type="button" class="quiet icon" aria-label={t('close')} onClick={props.onClose}>
          ✕
        </button>
      </header>
      {props.children}
    </dialog>
  );
}
