// A person's own map passwords: what QGIS, spreadsheets and scripts ask with.

import { useState } from 'preact/hooks';
import { Act, STAY } from '../components/act';
import { Dialog } from '../components/dialog';
import { Choice, Field } from '../components/field';
import { Password } from '../components/password';
import { Secret } from '../components/secret';
import { Empty, Show } from '../components/states';
import { t, word } from '../i18n';
import { useLoad } from '../load';
import { may, session } from '../session';
import { Passwords } from './list';
import { loadOwn, make, revokeOwn } from './model';

const LONGEST_NAME = 100;

export default function KeysPage() {
  const own = useLoad('map passwords', loadOwn, false);
  const [making, setMaking] = useState(false);
  const login = session.value?.login ?? '';
  return (
    <article class="keys-page">
      <header class="head">
        <h1>{t('keys.title')}</h1>
        <button type="button" class="primary" onClick={() => setMaking(true)}>
          {t('keys.make')}
        </button>
      </header>
      <p>{t('keys.lead', { login, address: `${location.origin}/ogc` })}</p>
      <Show of={own}>
        {(passwords) =>
          passwords.length === 0 ? (
            <Empty>{t('keys.none')}</Empty>
          ) : (
            <Passwords passwords={passwords} revoke={revokeOwn} onRevoked={own.reload} />
          )
        }
      </Show>
      {making && (
        <Make
          login={login}
          onClose={() => {
            setMaking(false);
            own.reload();
          }}
        />
      )}
    </article>
  );
}

/** Makes one; it is shown once. */
function Make({ login, onClose }: { login: string; onClose: () => void }) {
  const [name, setName] = useState('');
  const [scope, setScope] = useState('read');
  const [password, setPassword] = useState('');
  const [made, setMade] = useState<string | null>(null);
  if (made !== null) {
    return (
      <Dialog title={t('keys.once_title', { name })} onClose={onClose}>
        <p>{t('keys.once_lead', { login })}</p>
        <Secret text={made} />
      </Dialog>
    );
  }
  const scopes = may('CorrectRecords') ? ['read', 'read_write'] : ['read'];
  return (
    <Act
      title={t('keys.make')}
      submit={t('keys.make')}
      reason="none"
      changed={name !== '' || password !== ''}
      act={async () => {
        setMade(await make(name, scope, password));
        return STAY;
      }}
      onClose={onClose}
    >
      <Field label={t('keys.name')} hint={t('keys.name_hint')}>
        <input
          required
          dir="auto"
          maxLength={LONGEST_NAME}
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </Field>
      <Choice
        label={t('keys.scope')}
        value={scope}
        options={scopes.map((known) => [known, word('scope', known)])}
        onChange={setScope}
      />
      <Password
        label={t('keys.password')}
        hint={t('keys.password_hint')}
        autocomplete="current-password"
        value={password}
        onChange={setPassword}
      />
    </Act>
  );
}
