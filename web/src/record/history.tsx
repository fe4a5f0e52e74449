import { Show } from '../components/states';
import { m2, moment } from '../format';
import { t, word } from '../i18n';
import { useLoad } from '../load';
import type { Names } from '../organisations';
import { session } from '../session';
import { labelOf, loadHistory, type Schema, useSchema, type Version } from './model';
import { Stage } from './panel';
import { FieldValue } from './value';

/** Every version, the newest first: who, when, what changed and why. */
export function History({ id, kind, organisations }: { id: string; kind: string; organisations: Names }) {
  const history = useLoad(`history ${id}`, (signal) => loadHistory(id, signal));
  const schema = useSchema(kind);
  return (
    <section>
      <h3>{t('record.history')}</h3>
      <Show of={history}>
        {(versions) => (
          <ol class="history">
            {versions.toReversed().map((version) => (
              <Entry key={version.version} version={version} schema={schema} organisations={organisations} />
            ))}
          </ol>
        )}
      </Show>
    </section>
  );
}

interface Entered {
  version: Version;
  schema: Schema | undefined;
  organisations: Names;
}

function Entry(entered: Entered) {
  const { version } = entered;
  const changed = Object.entries(version.diff);
  return (
    <li>
      <div class="when">
        <strong>{word('op', version.op)}</strong> <Stage stage={version.stage} />
        {version.branch && <span class="badge warn">{t('record.branch')}</span>}
        <small class="muted">
          {moment(version.recorded_at)}
          <Author version={version} />
        </small>
      </div>
      {version.reason && <p dir="auto">“{version.reason}”</p>}
      {changed.length > 0 && (
        <details>
          <summary>{t('record.changed', { count: changed.length })}</summary>
          <Changes {...entered} />
        </details>
      )}
    </li>
  );
}

function Author({ version: { author, author_name } }: { version: Version }) {
  if (author === session.value?.account) return <> · {t('record.by_you')}</>;
  if (!author_name) return null;
  return (
    <>
      {' · '}
      <span dir="auto">{author_name}</span>
    </>
  );
}

/** Field by field, before and after. */
function Changes({ version, schema, organisations }: Entered) {
  return (
    <dl class="changes">
      {Object.entries(version.diff).map(([field, { from, to }]) => (
        <div key={field}>
          <dt dir="auto">{field === 'geometry' ? t('record.outline') : labelOf(schema, field)}</dt>
          <dd dir="auto">
            {field === 'geometry' ? (
              (version.area_m2 !== null && m2(version.area_m2)) || t('none')
            ) : (
              <>
                <del>
                  <FieldValue schema={schema} field={field} value={from} organisations={organisations} />
                </del>{' '}
                <ins>
                  <FieldValue schema={schema} field={field} value={to} organisations={organisations} />
                </ins>
              </>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}
