import { lazy, Suspense } from 'preact/compat';
import { useState } from 'preact/hooks';
import { Act } from '../components/act';
import { useFocusKept } from '../components/focus';
import { Busy, Show } from '../components/states';
import { mayEdit } from '../create/model';
import { t, word } from '../i18n';
import { useLoad } from '../load';
import { useOrganisations } from '../organisations';
import { nextFor, takeStep } from '../review/model';
import { amend, place } from '../router';
import { may } from '../session';
import { type Basis, seesGround } from '../standing/model';
import { Fields } from './fields';
import { Ground } from './ground';
import { History } from './history';
import { loadRecord, nameOf, type RecordFeature } from './model';
import { Photos } from './photos';
import { Position } from './position';

const EditRecord = lazy(() => import('./edit'));

/** One record: what it says, the ground that the figures count of it, its photos and its past. */
export function RecordPanel(props: { id: string; asOf: string; basis: Basis; onClose: () => void }) {
  const record = useLoad(`record ${props.id}`, (signal) => loadRecord(props.id, signal));
  useFocusKept();
  return (
    <>
      <button type="button" class="quiet icon close" aria-label={t('close')} onClick={props.onClose}>
        ✕
      </button>
      <Show of={record}>
        {(found) => (
          <Contents record={found} asOf={props.asOf} basis={props.basis} onChange={record.reload} />
        )}
      </Show>
    </>
  );
}

interface Props {
  record: RecordFeature;
  asOf: string;
  basis: Basis;
  onChange: () => void;
}

function Contents({ record, asOf, basis, onChange }: Props) {
  const organisations = useOrganisations();
  const counted = record.kind === 'hazardous_area' || record.kind === 'land_release';
  return (
    <>
      <p class="muted">{word('kind', record.kind)}</p>
      <h2>
        <bdi>{nameOf(record)}</bdi>
      </h2>
      <p class="badges">
        <Stage stage={record.stage} />
        {record.contested && <span class="badge bad">{t('contested')}</span>}
        {record.retired && <span class="badge warn">{t('retired')}</span>}
      </p>
      <p class="muted" dir="auto">
        {organisations.get(record.organisation) ?? t('none')}
      </p>
      <div class="actions">
        <Submit record={record} onDone={onChange} />
        <Edit record={record} onDone={onChange} />
      </div>
      {record.contested && <p class="note bad">{t('record.contested_hint')}</p>}
      {counted && seesGround(basis) && <Ground record={record} asOf={asOf} basis={basis} />}
      <Position geometry={record.geometry} />
      <Fields record={record} organisations={organisations} />
      <Photos id={record.id} />
      <History id={record.id} kind={record.kind} organisations={organisations} />
    </>
  );
}

/** A draft is put forward where it is read. */
function Submit({ record, onDone }: { record: RecordFeature; onDone: () => void }) {
  const [asked, setAsked] = useState(false);
  if (!may('Review') || nextFor(record) !== 'submit') return null;
  return (
    <>
      {place.value.parameters.get('unsubmitted') === record.id && (
        <p class="note bad" role="alert">
          {t('record.unsubmitted')}
        </p>
      )}
      <button type="button" class="primary" onClick={() => setAsked(true)}>
        {word('action', 'submit')}
      </button>
      {asked && (
        <Act
          title={t('review.step', { action: word('action', 'submit'), name: nameOf(record) })}
          submit={word('action', 'submit')}
          reason="optional"
          act={(reason) => takeStep(record, 'submit', reason)}
          onDone={() => {
            amend({ unsubmitted: null });
            onDone();
          }}
          onClose={() => setAsked(false)}
        />
      )}
    </>
  );
}

function Edit({ record, onDone }: { record: RecordFeature; onDone: () => void }) {
  const [opened, setOpened] = useState<RecordFeature | null>(null);
  if (!mayEdit(record)) return null;
  return (
    <>
      <button type="button" onClick={() => setOpened(record)}>
        {t('record.edit')}
      </button>
      {opened && (
        <Suspense fallback={<Busy />}>
          <EditRecord record={opened} onDone={onDone} onClose={() => setOpened(null)} />
        </Suspense>
      )}
    </>
  );
}

export function Stage({ stage }: { stage: string }) {
  const tone = stage === 'finalised' ? 'good' : stage === 'rejected' || stage === 'returned' ? 'bad' : '';
  return <span class={`badge ${tone}`}>{word('stage', stage)}</span>;
}
