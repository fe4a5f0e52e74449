// What becomes of an account: another role, another password, its end.

import { useState } from 'preact/hooks';
import { api } from '../api';
import { Act, STAY } from '../components/act';
import { Choice } from '../components/field';
import { t, word } from '../i18n';
import type { Account } from './accounts';
import { OneTime } from './one_time';
import { ROLES } from './roles';

interface Props {
  account: Account;
  onDone: () => void;
  onClose: () => void;
}

export function ChangeRole({ account, onDone, onClose }: Props) {
  const [role, setRole] = useState(account.role);
  return (
    <Act
      title={t('admin.role_title', { name: account.name })}
      submit={t('admin.save')}
      reason="none"
      changed={role !== account.role}
      act={async () => {
        await api.patch(`/v1/accounts/${account.id}`, { role });
        onDone();
      }}
      onClose={onClose}
    >
      <p class="muted">{t('admin.role_hint')}</p>
      <Choice
        label={t('admin.role')}
        value={role}
        options={ROLES.filter((known) => known !== 'relay').map((known) => [known, word('role', known)])}
        onChange={setRole}
      />
    </Act>
  );
}

export function ResetPassword({ account, onDone, onClose }: Props) {
  const [password, setPassword] = useState<string | null>(null);
  if (password !== null) return <OneTime login={account.login} password={password} onClose={onClose} />;
  return (
    <Act
      title={t('admin.reset_title', { name: account.name })}
      submit={t('admin.reset')}
      reason="none"
      act={async () => {
        const given = await api.post<{ one_time_password: string }>(
          `/v1/accounts/${account.id}/password`,
          {},
        );
        setPassword(given.one_time_password);
        onDone();
        return STAY;
      }}
      onClose={onClose}
    >
      <p>{t('admin.reset_hint')}</p>
    </Act>
  );
}

export function CloseOrReopen({ account, onDone, onClose }: Props) {
  return (
    <Act
      title={t(account.disabled ? 'admin.reopen_title' : 'admin.disable_title', { name: account.name })}
      submit={t(account.disabled ? 'admin.reopen' : 'admin.disable')}
      danger={!account.disabled}
      reason="none"
      act={async () => {
        await api.patch(`/v1/accounts/${account.id}`, { disabled: !account.disabled });
        onDone();
      }}
      onClose={onClose}
    />
  );
}
