import { useEffect, useRef, useState } from 'preact/hooks';
import { Languages } from './app';
import { Field } from './components/field';
import { Password } from './components/password';
import { Fault, Safety } from './components/states';
import { t } from './i18n';
import { changePassword, ended, logIn, logOut } from './session';
import { mayLeave } from './unsaved';

/** Does one thing at a time and shows what speaks against it. */
function useTask() {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const run = async (work: () => Promise<unknown>) => {
    setBusy(true);
    setFault(undefined);
    try {
      await work();
    } catch (thrown) {
      setFault(thrown);
    } finally {
      setBusy(false);
    }
  };
  return { busy, fault, setFault, run };
}

export function LogIn() {
  return (
    <main class="door">
      <LogInForm lead={t('login.lead')} />
    </main>
  );
}

/** Over the page of a session that is over: what stands there half done is not lost. */
export function LogInAgain({ login }: { login: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    return () => dialog.current?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class="door"
      aria-label={t('login.again')}
      onCancel={(event) => event.preventDefault()}
      // Browsers close a dialog at the second Escape, whatever is said.
      onClose={() => ended.value && dialog.current?.showModal()}
    >
      <LogInForm lead={t('login.again')} known={login} />
    </dialog>
  );
}

function LogInForm({ lead, known = '' }: { lead: string; known?: string }) {
  const [login, setLogin] = useState(known);
  const [password, setPassword] = useState('');
  const { busy, fault, run } = useTask();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        run(() => logIn(login, password));
      }}
    >
      <h1>Cartagena</h1>
      <p class="muted">{lead}</p>
      <Field label={t('login.name')}>
        <input
          name="login"
          autocomplete="username"
          required
          value={login}
          onInput={(event) => setLogin(event.currentTarget.value)}
        />
      </Field>
      <Password
        label={t('login.password')}
        name="password"
        autocomplete="current-password"
        // Whenever the dialog opens: a password must not go on in plain sight, in the field before.
        first={known !== ''}
        value={password}
        onChange={setPassword}
      />
      {fault !== undefined && <Fault fault={fault} />}
      <button type="submit" class="primary" disabled={busy}>
        {t(busy ? 'login.busy' : 'login.submit')}
      </button>
      <Safety />
      <div class="foot">
        <Languages />
        {known && (
          <button type="button" class="quiet" onClick={() => mayLeave() && run(logOut)}>
            {t('log_out')}
          </button>
        )}
        <a href="/assets/licences.md">{t('licences')}</a>
      </div>
    </form>
  );
}

/** A one-time password opens nothing but this. */
export function NewPassword() {
  const [old, setOld] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const { busy, fault, setFault, run } = useTask();
  const submit = (event: Event) => {
    event.preventDefault();
    if (next !== again) setFault(new Error(t('password.differ')));
    else run(() => changePassword(old, next));
  };
  return (
    <main class="door">
      <form onSubmit={submit}>
        <h1>{t('password.title')}</h1>
        <p class="muted">{t('password.lead')}</p>
        <Password label={t('password.old')} autocomplete="current-password" value={old} onChange={setOld} />
        <Password label={t('password.new')} autocomplete="new-password" value={next} onChange={setNext} />
        <Password label={t('password.again')} autocomplete="new-password" value={again} onChange={setAgain} />
        {fault !== undefined && <Fault fault={fault} />}
        <button type="submit" class="primary" disabled={busy}>
          {t('password.submit')}
        </button>
        <button type="button" class="quiet" onClick={() => run(logOut)}>
          {t('log_out')}
        </button>
      </form>
    </main>
  );
}
