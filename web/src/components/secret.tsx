import { useState } from 'preact/hooks';
import { t } from '../i18n';

/** What is shown this once, to be copied. */
export function Secret({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  // Browsers let pages copy over TLS and on their own machine only; elsewhere it is marked and copied by hand.
  const copy = () => navigator.clipboard?.writeText(text).then(() => setCopied(true));
  return (
    <div class="secret">
      <p class="code" dir="ltr">
        {text}
      </p>
      {navigator.clipboard && (
        <button type="button" onClick={copy}>
          {t('copy')}
        </button>
      )}
      <span role="status">{copied && t('copied')}</span>
    </div>
  );
}
