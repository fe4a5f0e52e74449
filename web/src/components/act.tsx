import type { ComponentChildren, TargetedSubmitEvent } from 'preact';
import { useState } from 'preact/hooks';
import { t } from '../i18n';
import { useUnsaved } from '../unsaved';
import { Dialog } from './dialog';
import { Field } from './field';
import { Fault } from './states';
import { isReadable } from './wrong';

/** What is answered by an act after which there is more to show. */
export const STAY = Symbol('stay');

interface Props {
  title: string;
  submit: string;
  danger?: boolean;
  /** A whole form, which the server checks field by field: wide, and without the browser's own checks. */
  form?: boolean;
  /** Whether a reason must be given; otherwise it may. */
  reason: 'required' | 'optional' | 'none';
  children?: ComponentChildren;
  /** Something is typed or chosen in the fields of its own that would be lost with it. */
  changed?: boolean;
  act: (reason: string) => Promise<unknown>;
  /** Closing stops what is being done; without it, that comes to its end first. */
  stoppable?: boolean;
  /** It is done: what was typed is sent, and may be left without a question. */
  onDone?: () => void;
  onClose: () => void;
}

/** Asks for a reason, does what was asked for, and says what speaks against it. */
export function Act(props: Props) {
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const { sent, mayClose } = useUnsaved(reason.trim() !== '' || (props.changed ?? false));
  // What is being done has an answer, which may be shown only once: a password.
  const close = () => {
    if (busy ? props.stoppable : mayClose()) props.onClose();
  };
  const run = async (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!isReadable(event.currentTarget)) return;
    setBusy(true);
    setFault(undefined);
    try {
      if ((await props.act(reason.trim())) === STAY) return setBusy(false);
      sent();
      props.onDone?.();
      props.onClose();
    } catch (thrown) {
      setFault(thrown);
      setBusy(false);
    }
  };
  return (
    <Dialog title={props.title} wide={props.form} onClose={close}>
      <form class="act" noValidate={props.form} onSubmit={run}>
        {props.children}
        {props.reason !== 'none' && (
          <Field label={t(props.reason === 'required' ? 'act.reason' : 'act.reason_optional')}>
            <textarea
              name="reason"
              dir="auto"
              required={props.reason === 'required'}
              value={reason}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          </Field>
        )}
        {fault !== undefined && <Fault fault={fault} />}
        <div class="actions">
          <button type="submit" class={props.danger ? 'danger' : 'primary'} disabled={busy}>
            {t(busy ? 'act.busy' : 'act.submit', { words: props.submit })}
          </button>
          <button type="button" disabled={busy && !props.stoppable} onClick={close}>
            {t('cancel')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
