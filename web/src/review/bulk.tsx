import { useState } from 'preact/hooks';
import { Act } from '../components/act';
import { words } from '../components/states';
import { t } from '../i18n';
import { nameOf, type RecordFeature } from '../record/model';
import { session } from '../session';
import { type Action, maySendBack, nextFor, takeStep } from './model';

interface Outcome {
  name: string;
  fault: string | null;
}

/** One step for many records, one after the other: each is answered for itself, at the version at which it was marked. */
export function Bulk({ records, onDone }: { records: RecordFeature[]; onDone: () => void }) {
  const [asked, setAsked] = useState<{ action: Action; of: RecordFeature[] } | null>(null);
  const [done, setDone] = useState<Outcome[]>([]);
  const role = session.value?.role;
  const steps = records.map((record) => nextFor(role, record.stage));
  const [first = null] = steps;
  const next = steps.every((step) => step === first) ? first : null;
  const back = records.every((record) => maySendBack(role, record.stage));

  const run = async ({ action, of }: { action: Action; of: RecordFeature[] }, reason: string) => {
    const outcomes: Outcome[] = [];
    for (const record of of) {
      const fault = await takeStep(record, action, reason).then(() => null, words);
      outcomes.push({ name: nameOf(record), fault });
      setDone([...outcomes]);
    }
    const refused = outcomes.filter((outcome) => outcome.fault);
    if (refused.length > 0) {
      throw new Error(refused.map(({ name, fault }) => `${name}: ${fault}`).join('\n'));
    }
    onDone();
  };

  // What is under way goes on, however few of the marked are still waiting here.
  if (records.length === 0 && !asked) return null;
  return (
    <div class="bulk">
      <span>{t('review.marked', { count: records.length })}</span>
      {next && (
        <button type="button" class="primary" onClick={() => setAsked({ action: next, of: records })}>
          {t(`action.${next}`)}
        </button>
      )}
      {back && records.length > 0 && (
        <button type="button" onClick={() => setAsked({ action: 'return', of: records })}>
          {t('action.return')}
        </button>
      )}
      {!next && !back && <small class="muted">{t('review.no_common_step')}</small>}
      {asked && (
        <Act
          title={t('review.step_many', { action: t(`action.${asked.action}`), count: asked.of.length })}
          submit={t(`action.${asked.action}`)}
          reason={asked.action === 'return' ? 'required' : 'optional'}
          act={(reason) => run(asked, reason)}
          onClose={() => {
            setAsked(null);
            setDone([]);
          }}
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
