import type { Geometry } from 'geojson';
import { lazy, Suspense } from 'preact/compat';
import { useMemo, useState } from 'preact/hooks';
import { Act } from '../components/act';
import { useFocusKept } from '../components/focus';
import { Busy, Show } from '../components/states';
import { t, word } from '../i18n';
import { useLoad } from '../load';
import { compare } from '../map/difference';
import {
  loadHistory,
  loadRecord,
  nameOf,
  type RecordFeature,
  stateAt,
  useSchema,
  type Version,
} from '../record/model';
import { Stage } from '../record/panel';
import { Photos } from '../record/photos';
import { href } from '../router';
import { may, session } from '../session';
import { Findings } from './findings';
import { type Action, maySendBack, nextFor, takeStep } from './model';
import { SideBySide } from './side_by_side';

const Compared = lazy(() => import('../map/compared'));

interface Props {
  id: string;
  /** It is in the list beside. */
  isListed: boolean;
  onTaken: () => void;
}

/** One record under review. */
export function Reviewed({ id, isListed, onTaken }: Props) {
  const both = useLoad(`reviewed ${id}`, (signal) =>
    Promise.all([loadRecord(id, signal), loadHistory(id, signal)]),
  );
  useFocusKept();
  return (
    <section class="detail" aria-label={t('record.title')}>
      {!isListed && (
        <p class="note" role="status">
          {t('list.absent')}
        </p>
      )}
      <Show of={both}>
        {([record, versions]) => (
          <>
            <Heading record={record} />
            <Actions record={record} onTaken={onTaken} />
            {may('ReadQuality') && <Findings id={record.id} />}
            <Versions record={record} versions={versions} />
            <Photos id={record.id} />
          </>
        )}
      </Show>
    </section>
  );
}

function Heading({ record }: { record: RecordFeature }) {
  return (
    <header class="detail-head">
      <div>
        <p class="muted">{word('kind', record.kind)}</p>
        <h2 dir="auto">{nameOf(record)}</h2>
      </div>
      <p class="badges">
        <Stage stage={record.stage} />
        {record.contested && <span class="badge bad">{t('contested')}</span>}
        {record.retired && <span class="badge warn">{t('retired')}</span>}
        {record.geometry && <a href={href('map', { record: record.id })}>{t('review.on_map')}</a>}
      </p>
    </header>
  );
}

function Actions({ record, onTaken }: { record: RecordFeature; onTaken: () => void }) {
  // The step is of the record as it stood when it was asked for, whatever comes in meanwhile.
  const [asked, setAsked] = useState<{ action: Action; of: RecordFeature } | null>(null);
  const ask = (action: Action) => setAsked({ action, of: record });
  const next = nextFor(record);
  const back = maySendBack(session.value?.role, record.stage);
  if (!next && !back && !asked) return <p class="muted">{t('review.not_yours')}</p>;
  return (
    <div class="actions">
      {next && (
        <button type="button" class="primary" onClick={() => ask(next)}>
          {t(`action.${next}`)}
        </button>
      )}
      {back && (
        <>
          <button type="button" onClick={() => ask('return')}>
            {t('action.return')}
          </button>
          <button type="button" class="danger" onClick={() => ask('reject')}>
            {t('action.reject')}
          </button>
        </>
      )}
      {asked && (
        <Act
          title={t('review.step', { action: t(`action.${asked.action}`), name: nameOf(asked.of) })}
          submit={t(`action.${asked.action}`)}
          danger={asked.action === 'reject'}
          reason={asked.action === 'return' || asked.action === 'reject' ? 'required' : 'optional'}
          act={(reason) => takeStep(asked.of, asked.action, reason)}
          onDone={onTaken}
          onClose={() => setAsked(null)}
        >
          {asked.of.version !== record.version && (
            <p class="note bad" role="alert">
              {t('review.moved')}
            </p>
          )}
          {asked.action === 'finalise' && <p class="muted">{t('review.finalise_hint')}</p>}
        </Act>
      )}
    </div>
  );
}

/** The version to compare with: what official figures count, or else what was there before the last change. */
function before(versions: Version[], record: RecordFeature): string {
  const line = versions.filter((version) => !version.branch);
  const changed = line.filter((version) => Object.keys(version.diff).length > 0);
  if (record.official && record.official !== record.version) return record.official;
  return changed.at(-2)?.version ?? '';
}

function Versions({ record, versions }: { record: RecordFeature; versions: Version[] }) {
  const [from, setFrom] = useState(() => before(versions, record));
  const schema = useSchema(record.kind);
  const [old, now] = useMemo(
    () => [from ? stateAt(versions, from) : {}, stateAt(versions, record.version)],
    [versions, from, record.version],
  );
  const parts = useMemo(
    () => compare((old.geometry ?? null) as Geometry | null, (now.geometry ?? null) as Geometry | null),
    [old, now],
  );
  const area = (version: string) => versions.find((known) => known.version === version)?.area_m2 ?? null;
  return (
    <>
      {parts.length > 0 && (
        <Suspense fallback={<Busy />}>
          <Compared parts={parts} names={from ? ['kept', 'added', 'removed', 'old'] : ['added']} />
        </Suspense>
      )}
      <SideBySide
        schema={schema}
        versions={versions}
        record={record}
        from={from}
        onFrom={setFrom}
        old={old}
        now={now}
        areas={[area(from), area(record.version)]}
      />
    </>
  );
}
