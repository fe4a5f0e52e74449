// The review: what waits for whom, what it changes, and the step that it takes.

import { useState } from 'preact/hooks';
import { Choice } from '../components/field';
import { More } from '../components/more';
import { Empty, Safety, Show } from '../components/states';
import { t, word } from '../i18n';
import { useLoad, usePages } from '../load';
import { useOpened } from '../opened';
import { nameOf, type RecordFeature } from '../record/model';
import { Stage } from '../record/panel';
import { amend, place } from '../router';
import { Bulk } from './bulk';
import { Figures } from './figures';
import { countOwn, loadQueue, STAGES } from './model';
import { Reviewed } from './reviewed';

export default function ReviewPage() {
  const stage = place.value.parameters.get('stage') ?? '';
  const queue = usePages(`queue ${stage}`, (after, signal) => loadQueue(stage, after, signal));
  const own = useLoad(stage === '' ? 'own queue' : null, countOwn);
  const isCut = stage === '' && (own.data ?? 0) > (queue.data?.rows.length ?? Number.POSITIVE_INFINITY);
  return (
    <div class="work">
      <header class="head">
        <h1>{t('page.review')}</h1>
        <Figures />
        <div class="tools">
          <Choice
            label={t('review.queue')}
            value={stage}
            options={[
              ['', t('review.mine')],
              ...STAGES.map((known): [string, string] => [known, word('stage', known)]),
            ]}
            onChange={(next) => amend({ stage: next, record: null })}
          />
        </div>
      </header>
      <Show of={queue}>{({ rows }) => <Queue records={rows} />}</Show>
      {isCut && <p class="muted">{t('review.cut')}</p>}
      <More of={queue} />
      <Safety />
    </div>
  );
}

/** Whether a marked record is another one by now. */
function isMoved(marked: ReadonlyMap<string, RecordFeature>, { id, version }: RecordFeature): boolean {
  const then = marked.get(id);
  return then !== undefined && then.version !== version;
}

function Queue({ records }: { records: RecordFeature[] }) {
  const [kind, setKind] = useState('');
  // As they stood when they were marked: nobody approves a version that they have not looked at.
  const [marked, setMarked] = useState<ReadonlyMap<string, RecordFeature>>(new Map());
  // The chosen one stays, also when the last of it is done.
  const kinds = [...new Set([...records.map((record) => record.kind), ...(kind ? [kind] : [])])].sort();
  const shown = records.filter((record) => !kind || record.kind === kind);
  const { id, isListed, next } = useOpened(shown, place.value.parameters.get('record'));
  const bulk = shown.flatMap((record) => marked.get(record.id) ?? []);
  const mark = (record: RecordFeature) => {
    const next = new Map(marked);
    if (!next.delete(record.id)) next.set(record.id, record);
    setMarked(next);
  };
  const unmark = ({ id }: RecordFeature) =>
    setMarked((known) => new Map([...known].filter(([marked]) => marked !== id)));
  const narrow = (to: string) => {
    setKind(to);
    amend({ record: records.find((record) => !to || record.kind === to)?.id });
  };
  const all = bulk.length === shown.length;
  if (!id && !kind) return <Empty>{t('review.empty')}</Empty>;
  return (
    <div class="split">
      <section class="list" aria-label={t('review.queue')}>
        <div class="list-head">
          <label class="check">
            <input
              type="checkbox"
              checked={all && shown.length > 0}
              onChange={() => setMarked(new Map(all ? [] : shown.map((record) => [record.id, record])))}
            />
            {t('review.waiting', { count: shown.length })}
          </label>
          <select aria-label={t('kind')} value={kind} onChange={(event) => narrow(event.currentTarget.value)}>
            <option value="">{t('all_kinds')}</option>
            {kinds.map((known) => (
              <option key={known} value={known}>
                {word('kind', known)}
              </option>
            ))}
          </select>
        </div>
        <Bulk records={bulk} onTaken={unmark} />
        <ul>
          {shown.map((record) => (
            <li key={record.id} class={record.id === id ? 'chosen' : undefined}>
              <input
                type="checkbox"
                aria-label={t('review.mark', { name: nameOf(record) })}
                checked={marked.has(record.id)}
                onChange={() => mark(record)}
              />
              <button
                type="button"
                class="quiet"
                aria-current={record.id === id}
                onClick={() => amend({ record: record.id })}
              >
                <strong dir="auto">{nameOf(record)}</strong>
                <small>{word('kind', record.kind)}</small>
                <Stage stage={record.stage} />
                {record.contested && <span class="badge bad">{t('contested')}</span>}
                {record.retired && <span class="badge warn">{t('retired')}</span>}
                {isMoved(marked, record) && <span class="badge warn">{t('review.moved_since')}</span>}
              </button>
            </li>
          ))}
        </ul>
        {shown.length === 0 && <NoneShown kind={kind} others={records.length} onAll={() => narrow('')} />}
      </section>
      {id && <Reviewed key={id} id={id} isListed={isListed} onTaken={() => amend({ record: next })} />}
    </div>
  );
}

/** That nothing waits, or nothing of a kind: then what else waits is one step away. */
function NoneShown({ kind, others, onAll }: { kind: string; others: number; onAll: () => void }) {
  if (!kind || others === 0) return <Empty>{t('review.empty')}</Empty>;
  return (
    <Empty>
      {t('review.none_of_kind', { kind: word('kind', kind), count: others })}{' '}
      <button type="button" onClick={onAll}>
        {t('review.all_kinds')}
      </button>
    </Empty>
  );
}
