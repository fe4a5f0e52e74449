import { useEffect } from 'preact/hooks';
import { leaves } from './session';

/** Asks before the window is left while something that was typed has not been sent. */
export function useUnsaved(unsaved: boolean): void {
  useEffect(() => {
    if (!unsaved) return;
    const ask = (event: BeforeUnloadEvent) => {
      // Another reader has logged in: what stands here is not theirs.
      if (!leaves()) event.preventDefault();
    };
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [unsaved]);
}
