import type { ComponentChildren } from 'preact';
import { t } from '../i18n';
import type { Loaded } from '../load';
import { Problem } from '../problem';

/** Something is asked for. Told to screen readers, and shown only if it lasts. */
export function Busy({ what }: { what?: string }) {
  return (
    <p class="busy" role="status">
      <span class="spinner" aria-hidden="true" />
      {what ?? t('loading')}
    </p>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

export function words(fault: unknown): string {
  if (fault instanceof Problem) return fault.message;
  if (fault instanceof TypeError) return t('error.network');
  return fault instanceof Error ? fault.message : String(fault);
}

export function Fault({ fault, again }: { fault: unknown; again?: () => void }) {
  const places = fault instanceof Problem ? fault.errors : [];
  return (
    <div class="fault" role="alert">
      <strong>{t('error.title')}</strong>
      <p dir="auto">{words(fault)}</p>
      {places.length > 0 && (
        <ul>
          {places.map((place) => (
            <li key={`${place.pointer} ${place.message}`} dir="auto">
              {place.pointer && <code>{place.pointer}</code>} {place.message}
            </li>
          ))}
        </ul>
      )}
      {again && (
        <button type="button" onClick={again}>
          {t('error.again')}
        </button>
      )}
    </div>
  );
}

/** What was loaded, or that it is loading, or that it cannot be. */
export function Show<T>({ of, children }: { of: Loaded<T>; children: (data: T) => ComponentChildren }) {
  if (of.data !== undefined) {
    return (
      <>
        {of.fault !== undefined && <Fault fault={of.fault} again={of.reload} />}
        {children(of.data)}
      </>
    );
  }
  return of.fault === undefined ? <Busy /> : <Fault fault={of.fault} again={of.reload} />;
}

/** Stands on every page with figures or maps. */
export function Safety() {
  return <p class="safety">{t('safety')}</p>;
}
