import { api } from '../api';
import { Empty, Show } from '../components/states';
import { t } from '../i18n';
import { Passwords } from '../keys/list';
import { loadAll, revokeAny } from '../keys/model';
import { useLoad } from '../load';

/** Everybody's map passwords: whose program can still ask, and when it last did. */
export function Keys() {
  const both = useLoad(
    'all map passwords',
    (signal) =>
      Promise.all([
        loadAll(signal),
        api.get<{ id: string; login: string; name: string }[]>('/v1/accounts', { signal }),
      ]),
    false,
  );
  return (
    <section>
      <h2>{t('keys.everybodys')}</h2>
      <Show of={both}>
        {([passwords, accounts]) => {
          const people = new Map(accounts.map(({ id, login, name }) => [id, `${name} (${login})`]));
          if (passwords.length === 0) return <Empty>{t('keys.none_of_all')}</Empty>;
          return (
            <Passwords
              passwords={passwords}
              whose={(password) => people.get(password.account)}
              revoke={revokeAny}
              onRevoked={both.reload}
            />
          );
        }}
      </Show>
    </section>
  );
}
