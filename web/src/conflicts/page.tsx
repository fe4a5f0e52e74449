// Conflicts: what both sides began from, what stands, and what was meant – and how that is settled.

import { More } from '../components/more';
import { Empty, Safety, Show } from '../components/states';
import { ago } from '../format';
import { t, word } from '../i18n';
import { usePages } from '../load';
import { useOpened } from '../opened';
import { useSchema } from '../record/model';
import { RecordName } from '../record/name';
import { amend, place } from '../router';
import { type Conflict, causesOf, groupsOf, loadConflicts } from './model';
import { disputedName } from './names';
import { Settle } from './settle';

export default function ConflictsPage() {
  const conflicts = usePages('conflicts', loadConflicts);
  return (
    <div class="work">
      <header class="head">
        <h1>{t('page.conflicts')}</h1>
      </header>
      <Show of={conflicts}>{({ rows }) => <Open conflicts={rows} />}</Show>
      <More of={conflicts} />
      <Safety />
    </div>
  );
}

function Open({ conflicts }: { conflicts: Conflict[] }) {
  const { id, isListed, next } = useOpened(conflicts, place.value.parameters.get('conflict'));
  if (!id) return <Empty>{t('conflict.none')}</Empty>;
  return (
    <div class="split">
      <section class="list" aria-label={t('page.conflicts')}>
        <ul>
          {conflicts.map((conflict) => (
            <li key={conflict.id} class={conflict.id === id ? 'chosen' : undefined}>
              <Row conflict={conflict} current={conflict.id === id} />
            </li>
          ))}
        </ul>
        {conflicts.length === 0 && <Empty>{t('conflict.none')}</Empty>}
      </section>
      <Settle key={id} id={id} isListed={isListed} onSettled={() => amend({ conflict: next })} />
    </div>
  );
}

function Row({ conflict, current }: { conflict: Conflict; current: boolean }) {
  const schema = useSchema(conflict.kind);
  return (
    <button
      type="button"
      class="quiet"
      aria-current={current}
      onClick={() => amend({ conflict: conflict.id })}
    >
      <strong dir="auto">
        {[
          ...causesOf(conflict).map((cause) => t(`conflict.${cause}`)),
          ...groupsOf(conflict).map((group) => disputedName(schema, group.name)),
        ].join(', ')}
      </strong>
      <small>
        {word('kind', conflict.kind)} <RecordName id={conflict.record_id} /> · {ago(conflict.opened_at)}
      </small>
      {conflict.safety && <span class="badge bad">{t('conflict.safety')}</span>}
    </button>
  );
}
