import { lazy, Suspense } from 'preact/compat';
import { useState } from 'preact/hooks';
import { api, query } from '../api';
import { Act } from '../components/act';
import { More } from '../components/more';
import { Busy, Empty, Show } from '../components/states';
import { ago } from '../format';
import { t } from '../i18n';
import { type Page, useLoad, usePages } from '../load';
import { type Names, useOrganisations } from '../organisations';
import { may } from '../session';
import type { Device } from './devices';
import type { Quarantined } from './edit';
import { NamedEdit } from './named';
import { Section } from './page';

const Repair = lazy(() => import('./repair'));

async function loadQuarantine(after: number | null, signal: AbortSignal): Promise<Page<Quarantined>> {
  const path = query('/v1/quarantine', { after });
  const { quarantined, next } = await api.get<{ quarantined: Quarantined[]; next: number | null }>(path, {
    signal,
  });
  return { rows: quarantined, next };
}

/** Who sends edits: the people whose tablets they are. */
function useSenders(): Names {
  const devices = useLoad(may('ReadDevices') ? 'senders' : null, (signal) =>
    api.get<Device[]>('/v1/devices', { signal }),
  );
  return new Map(devices.data?.map(({ account, person }) => [account, person]));
}

/** Edits that a person must look at: stored whole, with what is wrong with them. */
export function Quarantine() {
  const quarantine = usePages('quarantine', loadQuarantine);
  const organisations = useOrganisations();
  const senders = useSenders();
  const [repaired, setRepaired] = useState<Quarantined | null>(null);
  const [dismissed, setDismissed] = useState<Quarantined | null>(null);
  return (
    <Section title={t('field.quarantine')}>
      <Show of={quarantine}>
        {({ rows }) =>
          rows.length === 0 ? (
            <Empty>{t('field.no_quarantine')}</Empty>
          ) : (
            <ul class="cards">
              {rows.map((edit) => (
                <li key={edit.mutation_id}>
                  <div class="detail-head">
                    <strong>
                      <NamedEdit edit={edit} sender={senders.get(edit.author)} />
                    </strong>
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
      <More of={quarantine} />
      {repaired && (
        <Suspense fallback={<Busy />}>
          <Repair
            edit={repaired}
            sender={senders.get(repaired.author)}
            onClose={() => {
              setRepaired(null);
              quarantine.reload();
            }}
          />
        </Suspense>
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
        >
          <p>
            <NamedEdit edit={dismissed} sender={senders.get(dismissed.author)} />
          </p>
        </Act>
      )}
    </Section>
  );
}
