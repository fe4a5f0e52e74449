// Forms in which something stands that has not been sent. Whatever would throw it away asks first.

import { useLayoutEffect, useState } from 'preact/hooks';
import { t } from './i18n';

const forms = new Set<object>();

let isGivenUp = false;

/** What stands half done here is somebody else's: the page goes without a question. */
export function giveUp(): void {
  isGivenUp = true;
}

export function isUnsaved(): boolean {
  return forms.size > 0;
}

const ask = () => confirm(t('unsaved.leave'));

/** Whether the page, or what stands on it, may be given up. */
export function mayLeave(): boolean {
  return !isUnsaved() || ask();
}

interface Form {
  /** Everything is sent: nobody need be asked any more. */
  sent: () => void;
  /** Whether this form alone may be given up. */
  mayClose: () => boolean;
}

/** A form in which something has been typed that is not sent yet, or nothing. */
export function useUnsaved(unsaved: boolean): Form {
  const [form] = useState<object>(() => ({}));
  // At once: an Escape may follow on the last letter.
  useLayoutEffect(() => {
    if (!unsaved) return;
    const hold = (event: BeforeUnloadEvent) => {
      if (forms.has(form) && !isGivenUp) event.preventDefault();
    };
    forms.add(form);
    addEventListener('beforeunload', hold);
    return () => {
      forms.delete(form);
      removeEventListener('beforeunload', hold);
    };
  }, [unsaved, form]);
  return { sent: () => forms.delete(form), mayClose: () => !forms.has(form) || ask() };
}
