import { useState } from 'preact/hooks';
import { api } from '../api';
import { Act } from '../components/act';
import { Empty, Show } from '../components/states';
import { Table } from '../components/table';
import { ago, count } from '../format';
import { t } from '../i18n';
import { useLoad } from '../load';
import { useOrganisations } from '../organisations';
import { may } from '../session';
import { Enrolment } from './enrolment';
import { Section } from './page';

export interface Device {
  id: string;
  account: string;
  person: string;
  organisation: string;
  name: string;
  enrolled_at: string;
  revoked_at: string | null;
  seq_through: number;
  last_contact: string | null;
  outbox_pending: number | null;
  outbox_oldest: string | null;
  skew_ms: number | null;
  app: string | null;
  via: string | null;
}

const HOUR_MS = 3_600_000;
/** A tablet that was not heard of for so long is worth a call. */
const SILENT_DAYS = 7;

/** Every device: when it was heard of, what it still holds. */
export function Devices() {
  const devices = useLoad('devices', (signal) => api.get<Device[]>('/v1/devices', { signal }));
  const organisations = useOrganisations();
  const [revoked, setRevoked] = useState<Device | null>(null);
  const [enrolled, setEnrolled] = useState<string | null>(null);
  return (
    <Section title={t('field.devices')}>
      <Show of={devices}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty>{t('field.no_devices')}</Empty>
          ) : (
            <Table
              heads={[
                t('field.device'),
                t('field.person'),
                t('organisation'),
                t('field.last_contact'),
                t('field.unsent'),
                t('field.stored_through'),
                t('field.clock'),
              ]}
              actions={may('ManageDevices')}
            >
              {rows.map((device) => (
                <tr key={device.id}>
                  <th scope="row" dir="auto">
                    {device.name} <small class="muted">{device.app}</small>
                    {device.revoked_at && <span class="badge bad">{t('field.revoked')}</span>}
                  </th>
                  <td dir="auto">{device.person}</td>
                  <td dir="auto">{organisations.get(device.organisation)}</td>
                  <td>
                    <Contact device={device} />
                  </td>
                  <td>
                    <Unsent device={device} />
                  </td>
                  <td>{count(device.seq_through)}</td>
                  <td>
                    <Clock skew={device.skew_ms} />
                  </td>
                  {may('ManageDevices') && (
                    <td class="row-actions">
                      <button type="button" onClick={() => setEnrolled(device.account)}>
                        {t('field.offer')}
                      </button>
                      {!device.revoked_at && (
                        <button type="button" class="danger" onClick={() => setRevoked(device)}>
                          {t('field.revoke')}
                        </button>
                      )}
                    </td>
                  )}
                </tr>
              ))}
            </Table>
          )
        }
      </Show>
      {revoked && (
        <Act
          title={t('field.revoke_title', { name: revoked.name })}
          submit={t('field.revoke')}
          danger
          reason="none"
          act={async () => {
            await api.post(`/v1/devices/${revoked.id}/revoke`, {});
            devices.reload();
          }}
          onClose={() => setRevoked(null)}
        >
          <p>{t('field.revoke_hint')}</p>
        </Act>
      )}
      {enrolled && <Enrolment account={enrolled} onClose={() => setEnrolled(null)} />}
    </Section>
  );
}

function Contact({ device }: { device: Device }) {
  const heard = device.last_contact;
  const silent = !heard || Date.now() - Date.parse(heard) > SILENT_DAYS * 24 * HOUR_MS;
  return (
    <>
      {ago(heard)} {silent && !device.revoked_at && <span class="badge warn">{t('field.silent')}</span>}
    </>
  );
}

function Unsent({ device }: { device: Device }) {
  if (device.outbox_pending === null) return <>{t('field.unknown')}</>;
  if (device.outbox_pending === 0) return <>{count(0)}</>;
  return (
    <>
      <span class="badge warn">{count(device.outbox_pending)}</span>{' '}
      <small class="muted">{t('field.oldest', { when: ago(device.outbox_oldest) })}</small>
    </>
  );
}

function Clock({ skew }: { skew: number | null }) {
  if (skew === null) return <>{t('none')}</>;
  const hours = Math.abs(skew) / HOUR_MS;
  if (hours < 0.05) return <>{t('field.clock_right')}</>;
  return (
    <span class={hours >= 12 ? 'badge bad' : 'badge warn'}>
      {t('field.clock_off', { hours: hours.toFixed(1) })}
    </span>
  );
}
