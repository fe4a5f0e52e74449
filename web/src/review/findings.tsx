import { Show } from '../components/states';
import { t, word } from '../i18n';
import { useLoad } from '../load';
import { loadFindings } from './model';

/** What the quality rules say about a record. */
export function Findings({ id }: { id: string }) {
  const findings = useLoad(`findings ${id}`, (signal) => loadFindings(id, signal));
  return (
    <Show of={findings}>
      {(found) =>
        found.length === 0 ? (
          <p class="muted">{t('review.no_findings')}</p>
        ) : (
          <ul class="findings" aria-label={t('review.findings')}>
            {found.map((finding) => (
              <li key={`${finding.rule} ${finding.pointer}`}>
                <span class={`badge ${['hold', 'error'].includes(finding.severity) ? 'bad' : 'warn'}`}>
                  {word('severity', finding.severity)}
                </span>
                <span lang="en" dir="ltr">
                  {finding.message}
                </span>
                <code>{finding.rule}</code>
              </li>
            ))}
          </ul>
        )
      }
    </Show>
  );
}
