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

/** One step for many records, one after the other: each is answered for itself. */
export function Bulk({ records, onDone }: { records: RecordFeature[]; onDone: () => void }) {
  const [asked, setAsked] = useState<'next' | 'return' | null>(null);
  const [done, setDone] = useState<Outcome[]>([]);
  const role = session.value?.role;
  const steps = records.map((record) => nextFor(role, record.stage));
  const next = steps.every((step) => step !== null && step === steps[0]) ? (steps[0] as Action) : null;
  const back = records.every((record) => maySendBack(role, record.stage));

  const run = async (action: Action, reason: string) => {
    const outcomes: Outcome[] = [];
    for (const record of records) {
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

  const action = asked === 'next' ? next : asked;
  return (
    <div class="bulk">
      <span>{t('review.marked', { count: records.length })}</span>
      {next && (
        <button type="button" class="primary" onClick={() => setAsked('next')}>
          {t(`action.${next}`)}
        </button>
      )}
      {back && (
        <button type="button" onClick={() => setAsked('return')}>
          {t('action.return')}
        </button>
      )}
      {!next && !back && <small class="muted">{t('review.no_common_step')}</small>}
      {action && (
        <Act
          title={t('review.step_many', { action: t(`action.${action}`), count: records.length })}
          submit={t(`action.${action}`)}
          reason={action === 'return' ? 'required' : 'optional'}
          act={(reason) => run(action, reason)}
          onClose={() => {
            setAsked(null);
            setDone([]);
          }}
        >
          {done.length > 0 && (
            <p role="status">
              {t('review.progress', { done: done.length, all: records.length })}
              <progress value={done.length} max={records.length} />
            </p>
          )}
        </Act>
      )}
    </div>
  );
}
