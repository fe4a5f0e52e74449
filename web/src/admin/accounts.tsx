import { useState } from 'preact/hooks';
import { api } from '../api';
import { Field } from '../components/field';
import { Show } from '../components/states';
import { Table } from '../components/table';
import { Enrolment } from '../field/enrolment';
import { day } from '../format';
import { t, word } from '../i18n';
import { useLoad } from '../load';
import type { Organisation } from '../organisations';
import { AddAccount, AddOrganisation } from './add';
import { ChangeRole, CloseOrReopen, ResetPassword } from './change';

export interface Account {
  id: string;
  login: string;
  name: string;
  role: string;
  organisation: string;
  disabled: boolean;
  must_change: boolean;
  created_at: string;
}

const CHANGES = { role: ChangeRole, password: ResetPassword, open: CloseOrReopen };

export function Accounts() {
  const both = useLoad('accounts', (signal) =>
    Promise.all([
      api.get<Account[]>('/v1/accounts', { signal }),
      api.get<Organisation[]>('/v1/organisations', { signal }),
    ]),
  );
  const [adding, setAdding] = useState<'account' | 'organisation' | null>(null);
  const [enrolled, setEnrolled] = useState<string | null>(null);
  const [changed, setChanged] = useState<{ account: Account; how: keyof typeof CHANGES } | null>(null);
  const Change = changed && CHANGES[changed.how];
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
              onChange={(account, how) => setChanged({ account, how })}
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
      {changed && Change && (
        <Change account={changed.account} onDone={both.reload} onClose={() => setChanged(null)} />
      )}
    </section>
  );
}

function List(props: {
  accounts: Account[];
  organisations: Organisation[];
  onEnrol: (account: string) => void;
  onChange: (account: Account, how: keyof typeof CHANGES) => void;
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
                <>
                  <button type="button" onClick={() => props.onEnrol(account.id)}>
                    {t('field.offer')}
                  </button>
                  {account.role !== 'relay' && (
                    <button type="button" onClick={() => props.onChange(account, 'role')}>
                      {t('admin.change_role')}
                    </button>
                  )}
                  <button type="button" onClick={() => props.onChange(account, 'password')}>
                    {t('admin.reset')}
                  </button>
                </>
              )}
              <button type="button" class="danger" onClick={() => props.onChange(account, 'open')}>
                {t(account.disabled ? 'admin.reopen' : 'admin.disable')}
              </button>
            </td>
          </tr>
        ))}
      </Table>
    </>
  );
}
