import { useState } from 'preact/hooks';
import { api } from '../api';
import { Act, STAY } from '../components/act';
import { Dialog } from '../components/dialog';
import { Choice, Field } from '../components/field';
import { Secret } from '../components/secret';
import { Show } from '../components/states';
import { Table } from '../components/table';
import { Enrolment } from '../field/enrolment';
import { day } from '../format';
import { t, word } from '../i18n';
import { useLoad } from '../load';
import type { Organisation } from '../organisations';

interface Account {
  id: string;
  login: string;
  name: string;
  role: string;
  organisation: string;
  disabled: boolean;
  must_change: boolean;
  created_at: string;
}

const ROLES = [
  'surveyor',
  'supervisor',
  'programme_manager',
  'qa_officer',
  'im_officer',
  'authority',
  'observer',
  'admin',
  'relay',
];

export function Accounts() {
  const both = useLoad('accounts', (signal) =>
    Promise.all([
      api.get<Account[]>('/v1/accounts', { signal }),
      api.get<Organisation[]>('/v1/organisations', { signal }),
    ]),
  );
  const [adding, setAdding] = useState<'account' | 'organisation' | null>(null);
  const [enrolled, setEnrolled] = useState<string | null>(null);
  const [changed, setChanged] = useState<Account | null>(null);
  return (
    <section>
      <div class="detail-head">
        <h2>{t('admin.accounts')}</h2>
        <div class="actions">
          <button type="button" onClick={() => setAdding('organisation')}>
            {t('admin.add_organisation')}
          </button>
          <button type="button" class="primary" onClick={() => setAdding('account')}>
            {t('admin.add_account')}
          </button>
        </div>
      </div>
      <Show of={both}>
        {([accounts, organisations]) => (
          <>
            <List
              accounts={accounts}
              organisations={organisations}
              onEnrol={setEnrolled}
              onChange={setChanged}
            />
            {adding === 'account' && (
              <AddAccount
                organisations={organisations}
                onClose={() => {
                  setAdding(null);
                  both.reload();
                }}
              />
            )}
          </>
        )}
      </Show>
      {adding === 'organisation' && (
        <AddOrganisation
          onClose={() => {
            setAdding(null);
            both.reload();
          }}
        />
      )}
      {enrolled && <Enrolment account={enrolled} onClose={() => setEnrolled(null)} />}
      {changed && (
        <Act
          title={t(changed.disabled ? 'admin.reopen_title' : 'admin.disable_title', { name: changed.name })}
          submit={t(changed.disabled ? 'admin.reopen' : 'admin.disable')}
          danger={!changed.disabled}
          reason="none"
          act={async () => {
            await api.patch(`/v1/accounts/${changed.id}`, { disabled: !changed.disabled });
            both.reload();
          }}
          onClose={() => setChanged(null)}
        />
      )}
    </section>
  );
}

function List(props: {
  accounts: Account[];
  organisations: Organisation[];
  onEnrol: (account: string) => void;
  onChange: (account: Account) => void;
}) {
  const names = new Map(props.organisations.map(({ id, name }) => [id, name]));
  const [filter, setFilter] = useState('');
  const wanted = filter.toLowerCase();
  const shown = props.accounts.filter(
    (account) => account.login.toLowerCase().includes(wanted) || account.name.toLowerCase().includes(wanted),
  );
  return (
    <>
      <Field label={t('admin.find')}>
        <input type="search" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
      </Field>
      <Table
        heads={[t('login.name'), t('admin.name'), t('admin.role'), t('organisation'), t('admin.since')]}
        actions
        tall
      >
        {shown.map((account) => (
          <tr key={account.id}>
            <th scope="row">
              {account.login} {account.disabled && <span class="badge bad">{t('admin.disabled')}</span>}
              {account.must_change && <span class="badge warn">{t('admin.one_time')}</span>}
            </th>
            <td dir="auto">{account.name}</td>
            <td>{word('role', account.role)}</td>
            <td dir="auto">{names.get(account.organisation)}</td>
            <td class="nowrap">{day(account.created_at)}</td>
            <td class="row-actions">
              {!account.disabled && (
                <button type="button" onClick={() => props.onEnrol(account.id)}>
                  {t('field.offer')}
                </button>
              )}
              <button type="button" class="danger" onClick={() => props.onChange(account)}>
                {t(account.disabled ? 'admin.reopen' : 'admin.disable')}
              </button>
            </td>
          </tr>
        ))}
      </Table>
    </>
  );
}

/** Makes an account; its one-time password is shown once. */
function AddAccount({ organisations, onClose }: { organisations: Organisation[]; onClose: () => void }) {
  const [login, setLogin] = useState('');
  const [name, setName] = useState('');
  const [role, setRole] = useState('surveyor');
  const [organisation, setOrganisation] = useState(organisations[0]?.id ?? '');
  const [password, setPassword] = useState<string | null>(null);
  if (password !== null) {
    return (
      <Dialog title={t('admin.one_time_title', { login })} onClose={onClose}>
        <p>{t('admin.one_time_lead')}</p>
        <Secret text={password} />
      </Dialog>
    );
  }
  return (
    <Act
      title={t('admin.add_account')}
      submit={t('admin.add_account')}
      reason="none"
      act={async () => {
        const made = await api.post<{ one_time_password: string }>('/v1/accounts', {
          login,
          name,
          role,
          organisation,
        });
        setPassword(made.one_time_password);
        return STAY;
      }}
      onClose={onClose}
    >
      <Field label={t('login.name')}>
        <input required value={login} onInput={(event) => setLogin(event.currentTarget.value)} />
      </Field>
      <Field label={t('admin.name')}>
        <input required dir="auto" value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </Field>
      <Choice
        label={t('admin.role')}
        value={role}
        options={ROLES.map((known) => [known, word('role', known)])}
        onChange={setRole}
      />
      <Choice
        label={t('organisation')}
        value={organisation}
        options={organisations.map((known) => [known.id, known.name])}
        onChange={setOrganisation}
      />
    </Act>
  );
}

function AddOrganisation({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [kind, setKind] = useState('operator');
  return (
    <Act
      title={t('admin.add_organisation')}
      submit={t('admin.add_organisation')}
      reason="none"
      act={() => api.post('/v1/organisations', { name, kind })}
      onClose={onClose}
    >
      <Field label={t('admin.name')}>
        <input required dir="auto" value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </Field>
      <Choice
        label={t('kind')}
        value={kind}
        options={['authority', 'operator', 'other'].map((known) => [known, word('organisation_kind', known)])}
        onChange={setKind}
      />
    </Act>
  );
}
