import { useState } from 'preact/hooks';
import { api } from '../api';
import { Act } from '../components/act';
import { Dialog } from '../components/dialog';
import { Field } from '../components/field';
import { Empty, Fault, Show } from '../components/states';
import { ago } from '../format';
import { t, word } from '../i18n';
import { useLoad } from '../load';
import { useOrganisations } from '../organisations';
import { may } from '../session';
import { Section } from './page';

interface Quarantined {
  mutation_id: string;
  record_id: string;
  kind: string;
  organisation: string;
  since: string;
  problem: { code: string; detail: string; faults?: { pointer: string; message: string }[] };
  mutation: Record<string, unknown>;
}

/** Edits that a person must look at: stored whole, with what is wrong with them. */
export function Quarantine() {
  const quarantine = useLoad('quarantine', (signal) =>
    api.get<{ quarantined: Quarantined[] }>('/v1/quarantine', { signal }),
  );
  const organisations = useOrganisations();
  const [repaired, setRepaired] = useState<Quarantined | null>(null);
  const [dismissed, setDismissed] = useState<Quarantined | null>(null);
  return (
    <Section title={t('field.quarantine')}>
      <Show of={quarantine}>
        {({ quarantined }) =>
          quarantined.length === 0 ? (
            <Empty>{t('field.no_quarantine')}</Empty>
          ) : (
            <ul class="cards">
              {quarantined.map((edit) => (
                <li key={edit.mutation_id}>
                  <div class="detail-head">
                    <strong>{word('kind', edit.kind)}</strong>
                    <small class="muted" dir="auto">
                      {organisations.get(edit.organisation)} · {ago(edit.since)}
                    </small>
                  </div>
                  <p lang="en" dir="ltr">
                    <span class="badge bad">{edit.problem.code}</span> {edit.problem.detail}
                  </p>
                  <ul class="faults">
                    {edit.problem.faults?.map((fault) => (
                      <li key={`${fault.pointer} ${fault.message}`} dir="ltr">
                        <code>{fault.pointer}</code> {fault.message}
                      </li>
                    ))}
                  </ul>
                  {may('RepairQuarantine') && (
                    <div class="actions">
                      <button type="button" onClick={() => setRepaired(edit)}>
                        {t('quarantine.repair')}
                      </button>
                      <button type="button" class="danger" onClick={() => setDismissed(edit)}>
                        {t('quarantine.dismiss')}
                      </button>
                    </div>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Show>
      {repaired && (
        <Repair
          edit={repaired}
          onClose={() => {
            setRepaired(null);
            quarantine.reload();
          }}
        />
      )}
      {dismissed && (
        <Act
          title={t('quarantine.dismiss_title')}
          submit={t('quarantine.dismiss')}
          danger
          reason="required"
          act={async (reason) => {
            await api.post(`/v1/quarantine/${dismissed.mutation_id}/dismiss`, { reason });
            quarantine.reload();
          }}
          onClose={() => setDismissed(null)}
        />
      )}
    </Section>
  );
}

/** The edit as it was sent, to be put right and sent again as a new one. */
function Repair({ edit, onClose }: { edit: Quarantined; onClose: () => void }) {
  const [text, setText] = useState(() => JSON.stringify(edit.mutation.changes ?? {}, null, 2));
  const [fault, setFault] = useState<unknown>();
  const [told, setTold] = useState<string | null>(null);
  const run = async (event: Event) => {
    event.preventDefault();
    setFault(undefined);
    try {
      const mutation = { ...edit.mutation, changes: JSON.parse(text) };
      const answer = await api.post<{ outcome: string; problem?: { detail: string } }>(
        `/v1/quarantine/${edit.mutation_id}/repair`,
        mutation,
      );
      if (['applied', 'merged'].includes(answer.outcome)) onClose();
      else setTold(answer.problem?.detail ?? word('outcome', answer.outcome));
    } catch (thrown) {
      setFault(thrown);
    }
  };
  return (
    <Dialog title={t('quarantine.repair')} wide onClose={onClose}>
      <form class="act" onSubmit={run}>
        <p lang="en" dir="ltr">
          {edit.problem.detail}
        </p>
        <Field label={t('quarantine.changes')} hint={t('quarantine.hint')}>
          <textarea
            class="code-text"
            dir="ltr"
            rows={14}
            spellcheck={false}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </Field>
        {fault !== undefined && <Fault fault={fault} />}
        {told !== null && <p role="alert">{told}</p>}
        <div class="actions">
          <button type="submit" class="primary">
            {t('quarantine.send')}
          </button>
          <button type="button" onClick={onClose}>
            {t('cancel')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
