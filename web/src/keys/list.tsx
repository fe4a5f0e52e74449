import { useState } from 'preact/hooks';
import { Act } from '../components/act';
import { Table } from '../components/table';
import { ago, day } from '../format';
import { t, word } from '../i18n';
import type { MapPassword } from './model';

interface Props<P> {
  passwords: P[];
  /** Whose each is, where they are several people's. */
  whose?: (password: P) => string | undefined;
  revoke: (id: string) => Promise<unknown>;
  onRevoked: () => void;
}

export function Passwords<P extends MapPassword>({ passwords, whose, revoke, onRevoked }: Props<P>) {
  const [revoked, setRevoked] = useState<P | null>(null);
  const heads = [t('keys.name'), t('keys.scope'), t('keys.made'), t('keys.used')];
  return (
    <>
      <Table heads={whose ? [t('keys.whose'), ...heads] : heads} actions>
        {passwords.map((password) => (
          <tr key={password.id}>
            {whose && <td dir="auto">{whose(password)}</td>}
            <th scope="row" dir="auto">
              {password.name}
            </th>
            <td>{word('scope', password.scope)}</td>
            <td class="nowrap">{day(password.created_at)}</td>
            <td>{ago(password.last_used_at)}</td>
            <td class="row-actions">
              <button type="button" class="danger" onClick={() => setRevoked(password)}>
                {t('keys.revoke')}
              </button>
            </td>
          </tr>
        ))}
      </Table>
      {revoked && (
        <Act
          title={t('keys.revoke_title', { name: revoked.name })}
          submit={t('keys.revoke')}
          danger
          reason="none"
          act={async () => {
            await revoke(revoked.id);
            onRevoked();
          }}
          onClose={() => setRevoked(null)}
        >
          <p>{t('keys.revoke_hint')}</p>
        </Act>
      )}
    </>
  );
}
