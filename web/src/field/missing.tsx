import { api } from '../api';
import { Empty, Show } from '../components/states';
import { Table } from '../components/table';
import { ago } from '../format';
import { t, word } from '../i18n';
import { useLoad } from '../load';
import { useOrganisations } from '../organisations';
import { RecordName } from '../record/name';
import { href } from '../router';
import { Section } from './page';

interface Absent {
  record_id: string;
  kind: string;
  organisation: string;
  name: string;
  sha256: string;
  size: number;
  since: string;
  seq: number;
}

const MEGA = 1e6;

/** Photos and other files that records name and that are still on somebody's tablet. */
export function Missing() {
  const absent = useLoad('absent', (signal) =>
    api.get<{ absent: Absent[]; next: number | null }>('/v1/attachments/absent', { signal }),
  );
  const organisations = useOrganisations();
  return (
    <Section title={t('field.photos')}>
      <Show of={absent}>
        {({ absent: rows, next }) =>
          rows.length === 0 ? (
            <Empty>{t('field.no_photos')}</Empty>
          ) : (
            <>
              <Table heads={[t('record.title'), t('field.file'), t('organisation'), t('field.since')]} tall>
                {rows.map((file) => (
                  <tr key={`${file.seq} ${file.sha256}`}>
                    <th scope="row">
                      <a href={href('map', { record: file.record_id })}>
                        {word('kind', file.kind)} <RecordName id={file.record_id} />
                      </a>
                    </th>
                    <td dir="auto">
                      {file.name} <small class="muted">{(file.size / MEGA).toFixed(1)} MB</small>
                    </td>
                    <td dir="auto">{organisations.get(file.organisation)}</td>
                    <td>{ago(file.since)}</td>
                  </tr>
                ))}
              </Table>
              {next !== null && <p class="muted">{t('field.more')}</p>}
            </>
          )
        }
      </Show>
    </Section>
  );
}
