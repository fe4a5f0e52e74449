// The field: which tablets are silent, what they still hold, what of theirs waits for somebody.

import type { ComponentChildren } from 'preact';
import { api } from '../api';
import { Empty, Safety, Show } from '../components/states';
import { Table } from '../components/table';
import { ago } from '../format';
import { t, word } from '../i18n';
import { useLoad } from '../load';
import { useOrganisations } from '../organisations';
import { may } from '../session';
import { Devices } from './devices';
import { Missing } from './missing';
import { Quarantine } from './quarantine';

export default function FieldPage() {
  return (
    <article class="field-page">
      <header class="head">
        <h1>{t('page.field')}</h1>
      </header>
      {may('ReadAlarms') && <Alarms />}
      {may('ReadQuarantine') && <Quarantine />}
      {may('ReadQuarantine') && <Parked />}
      {may('ReadQuarantine') && <Missing />}
      {may('ReadDevices') && <Devices />}
      <Safety />
    </article>
  );
}

export function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

interface Alarm {
  kind: string;
  subject: string;
  organisation: string;
  since: string | null;
  detail: string;
}

function Alarms() {
  const alarms = useLoad('alarms', (signal) => api.get<Alarm[]>('/v1/alarms', { signal }));
  const organisations = useOrganisations();
  return (
    <Section title={t('field.alarms')}>
      <Show of={alarms}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty>{t('field.no_alarms')}</Empty>
          ) : (
            <ul class="findings">
              {rows.map((alarm) => (
                <li key={`${alarm.kind} ${alarm.subject}`}>
                  <span class="badge bad">{word('alarm', alarm.kind)}</span>
                  <span lang="en" dir="ltr">
                    {alarm.detail}
                  </span>
                  <small class="muted" dir="auto">
                    {organisations.get(alarm.organisation)} · {ago(alarm.since)}
                  </small>
                </li>
              ))}
            </ul>
          )
        }
      </Show>
    </Section>
  );
}

interface ParkedEdit {
  mutation_id: string;
  waiting_for: string;
  organisation: string;
  since: string;
  alarm: boolean;
}

function Parked() {
  const parked = useLoad('parked', (signal) => api.get<{ parked: ParkedEdit[] }>('/v1/parked', { signal }));
  const organisations = useOrganisations();
  return (
    <Section title={t('field.parked')}>
      <Show of={parked}>
        {({ parked: rows }) =>
          rows.length === 0 ? (
            <Empty>{t('field.no_parked')}</Empty>
          ) : (
            <Table heads={[t('field.waiting_for'), t('organisation'), t('field.since')]}>
              {rows.map((row) => (
                <tr key={row.mutation_id}>
                  <th scope="row">
                    <code>{row.waiting_for}</code>
                  </th>
                  <td dir="auto">{organisations.get(row.organisation)}</td>
                  <td>
                    {ago(row.since)} {row.alarm && <span class="badge bad">{t('field.too_long')}</span>}
                  </td>
                </tr>
              ))}
            </Table>
          )
        }
      </Show>
    </Section>
  );
}
