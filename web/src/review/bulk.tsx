import { useEffect, useRef, useState } from 'preact/hooks';
import { Act, STAY } from '../components/act';
import { words } from '../components/states';
import { t } from '../i18n';
import { Problem } from '../problem';
import { nameOf, type RecordFeature } from '../record/model';
import { session } from '../session';
import { type Action, maySendBack, nextFor, takeStep } from './model';

interface Outcome {
  name: string;
  fault: string | null;
}

interface Asked {
  action: Action;
  of: RecordFeature[];
}

interface Props {
  records: RecordFeature[];
  /** A record has taken the step. */
  onTaken: (record: RecordFeature) => void;
}

/** Why a step was refused, and what to do about it. */
function refusalWords(fault: unknown): string {
  const isStale = fault instanceof Problem && fault.code === 'stale';
  return isStale ? t('review.stale') : words(fault);
}

const refusalsOf = (outcomes: Outcome[]) =>
  outcomes.filter(({ fault }) => fault).map(({ name, fault }) => `${name}: ${fault}`);

/** One step for many records, one after the other: each is answered for itself, at the version at which it was marked. */
export function Bulk({ records, onTaken }: Props) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const [done, setDone] = useState<Outcome[]>([]);
  const [stopped, setStopped] = useState<{ done: Outcome[]; all: number } | null>(null);
  const underWay = useRef<AbortController | null>(null);
  // Nothing is approved behind the back of whoever has left.
  useEffect(() => () => underWay.current?.abort(), []);

  const run = async ({ action, of }: Asked, reason: string) => {
    const stop = new AbortController();
    underWay.current = stop;
    const outcomes: Outcome[] = [];
    const left: RecordFeature[] = [];
    setDone([]);
    for (const record of of) {
      if (stop.signal.aborted) break;
      const fault = await takeStep(record, action, reason).then(() => null, refusalWords);
      outcomes.push({ name: nameOf(record), fault });
      if (fault === null) onTaken(record);
      else left.push(record);
      if (!stop.signal.aborted) setDone([...outcomes]);
    }
    if (stop.signal.aborted) {
      setStopped({ done: outcomes, all: of.length });
      return STAY;
    }
    if (left.length === 0) return;
    // What is done is done: whoever tries again tries those that are left.
    setAsked({ action, of: left });
    setDone([]);
    const counts = t('review.refused', { done: of.length - left.length, refused: left.length });
    throw new Error([counts, ...refusalsOf(outcomes)].join('\n'));
  };
  const ask = (action: Action) => {
    setStopped(null);
    setAsked({ action, of: records });
  };
  const close = () => {
    underWay.current?.abort();
    setAsked(null);
    setDone([]);
  };

  // What is under way goes on, however few of the marked are still waiting here.
  if (records.length === 0 && !asked && !stopped) return null;
  return (
    <div class="bulk">
      {records.length > 0 && <Steps records={records} ask={ask} />}
      {stopped && (
        <div class="note bad" role="status">
          {t('review.stopped', { done: stopped.done.length, all: stopped.all })}
          {refusalsOf(stopped.done).map((refusal) => (
            <p key={refusal} dir="auto">
              {refusal}
            </p>
          ))}
        </div>
      )}
      {asked && (
        <Act
          title={t('review.step_many', { action: t(`action.${asked.action}`), count: asked.of.length })}
          submit={t(`action.${asked.action}`)}
          reason={asked.action === 'return' ? 'required' : 'optional'}
          stoppable
          act={(reason) => run(asked, reason)}
          onClose={close}
        >
          {done.length > 0 && (
            <p role="status">
              {t('review.progress', { done: done.length, all: asked.of.length })}
              <progress value={done.length} max={asked.of.length} />
            </p>
          )}
        </Act>
      )}
    </div>
  );
}

/** The steps that fit all that is marked. */
function Steps({ records, ask }: { records: RecordFeature[]; ask: (action: Action) => void }) {
  const steps = records.map(nextFor);
  const [first = null] = steps;
  const next = steps.every((step) => step === first) ? first : null;
  const role = session.value?.role;
  const back = records.every((record) => maySendBack(role, record.stage));
  return (
    <>
      <span>{t('review.marked', { count: records.length })}</span>
      {next && (
        <button type="button" class="primary" onClick={() => ask(next)}>
          {t(`action.${next}`)}
        </button>
      )}
      {back && (
        <button type="button" onClick={() => ask('return')}>
          {t('action.return')}
        </button>
      )}
      {!next && !back && <small class="muted">{t('review.no_common_step')}</small>}
    </>
  );
}
