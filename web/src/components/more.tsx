import { count } from '../format';
import { t } from '../i18n';
import type { Pages } from '../load';

/** Says that a list goes on, and goes on with it. */
export function More<T>({ of }: { of: Pages<T> }) {
  if (!of.data || of.data.next === null) return null;
  return (
    <p class="more">
      {t('more.shown', { count: count(of.data.rows.length) })}{' '}
      <button type="button" disabled={of.busy} onClick={of.more}>
        {t('more.show')}
      </button>
    </p>
  );
}
