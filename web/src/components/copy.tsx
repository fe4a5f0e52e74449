import { useState } from 'preact/hooks';
import { t } from '../i18n';

/** Copies a text. Browsers let pages do that over TLS and on their own machine only; elsewhere it is marked by hand. */
export function Copy({ text, label }: { text: string; label?: string }) {
  const [copied, setCopied] = useState<string | null>(null);
  const copy = () => navigator.clipboard?.writeText(text).then(() => setCopied(text));
  return (
    <>
      {navigator.clipboard && (
        <button type="button" aria-label={label} onClick={copy}>
          {t('copy')}
        </button>
      )}
      <span role="status">{copied === text && t('copied')}</span>
    </>
  );
}
