// New accounts and organisations.

import { useState } from 'preact/hooks';
import { api } from '../api';
import { Act, STAY } from '../components/act';
import { Choice, Field } from '../components/field';
import { t, word } from '../i18n';
import type { Organisation } from '../organisations';
import { OneTime } from './one_time';
import { ROLES } from './roles';

/** Makes an account; its one-time password is shown once. */
export function AddAccount({
  organisations,
  onClose,
}: {
  organisations: Organisation[];
  onClose: () => void;
}) {
  const [login, setLogin] = useState('');
  const [name, setName] = useState('');
  const [role, setRole] = useState('surveyor');
  const [organisation, setOrganisation] = useState(organisations[0]?.id ?? '');
  const [password, setPassword] = useState<string | null>(null);
  if (password !== null) {
    return <OneTime login={login} password={password} onClose={onClose} />;
  }
  return (
    <Act
      title={t('admin.add_account')}
      submit={t('admin.add_account')}
      reason="none"
      changed={login !== '' || name !== ''}
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

export function AddOrganisation({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [kind, setKind] = useState('operator');
  return (
    <Act
      title={t('admin.add_organisation')}
      submit={t('admin.add_organisation')}
      reason="none"
      changed={name !== ''}
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
