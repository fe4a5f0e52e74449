// A quarantined edit, put right: each change in the control of its field, or as it was sent where no control takes it.

import type { TargetedSubmitEvent } from 'preact';
import { useState } from 'preact/hooks';
import { api } from '../api';
import { Dialog } from '../components/dialog';
import { Field } from '../components/field';
import { Busy, Fault } from '../components/states';
import { isReadable, useWrongFocused } from '../components/wrong';
import { ControlOf } from '../create/controls';
import { t, word } from '../i18n';
import { useLoad } from '../load';
import { faultsByField } from '../problem';
import { labelOf, loadSchema, type Schema, type Value } from '../record/model';
import { useUnsaved } from '../unsaved';
import {
  changesIn,
  controlled,
  type Quarantined,
  type Row,
  readChange,
  rowsOf,
  shownValue,
  withValue,
} from './edit';
import { NamedEdit } from './named';

interface Props {
  edit: Quarantined;
  /** Who sent it, where that is known. */
  sender?: string;
  onClose: () => void;
}

export default function Repair(props: Props) {
  const { kind } = props.edit;
  const schema = useLoad(`schema ${kind}`, () => loadSchema(kind), false);
  // An edit of a kind that the server does not know can still be put right as it was sent.
  return schema.data || schema.fault ? <Form {...props} schema={schema.data} /> : <Busy />;
}

interface Answer {
  outcome: string;
  problem?: Quarantined['problem'];
}

function Form({ edit, sender, schema, onClose }: Props & { schema: Schema | undefined }) {
  const [problem, setProblem] = useState(edit.problem);
  const [given] = useState(() => rowsOf(edit, schema));
  const [rows, setRows] = useState(given);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const [told, setTold] = useState<string | null>(null);
  const faults = faultsByField(problem.faults);
  const form = useWrongFocused<HTMLFormElement>(faults);
  const { sent, mayClose } = useUnsaved(rows !== given);
  const close = () => !busy && mayClose() && onClose();
  const change = (next: Row) => setRows(rows.map((row) => (row.name === next.name ? next : row)));
  const run = async (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!isReadable(event.currentTarget)) return;
    setFault(undefined);
    setTold(null);
    setBusy(true);
    try {
      const answer = await api.post<Answer>(`/v1/quarantine/${edit.mutation_id}/repair`, {
        ...edit.mutation,
        changes: changesIn(rows),
      });
      if (['applied', 'merged'].includes(answer.outcome)) {
        sent();
        return onClose();
      }
      if (answer.problem) setProblem(answer.problem);
      setTold(answer.problem?.detail ?? word('outcome', answer.outcome));
    } catch (thrown) {
      setFault(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={t('quarantine.repair')} wide onClose={close}>
      <form ref={form} class="act" noValidate onSubmit={run}>
        <p>
          <NamedEdit edit={edit} sender={sender} />
        </p>
        <p lang="en" dir="ltr">
          {problem.detail}
        </p>
        <p class="muted">{t('quarantine.hint')}</p>
        {rows.map((row) => (
          <Changed key={row.name} row={row} schema={schema} wrong={faults.get(row.name)} onChange={change} />
        ))}
        {fault !== undefined && <Fault fault={fault} />}
        {told !== null && <p role="alert">{told}</p>}
        <div class="actions">
          <button type="submit" class="primary" disabled={busy || rows.some(({ unread }) => unread)}>
            {t(busy ? 'act.busy' : 'quarantine.send')}
          </button>
          <button type="button" disabled={busy} onClick={close}>
            {t('cancel')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface ChangedProps {
  row: Row;
  schema: Schema | undefined;
  wrong: string | undefined;
  onChange: (row: Row) => void;
}

/** One field of the edit; what is left out can be put back. */
function Changed({ row, schema, wrong, onChange }: ChangedProps) {
  const label = row.name === 'geometry' ? t('create.place') : labelOf(schema, row.name);
  return (
    <div class="changed">
      {row.leftOut ? (
        <p>
          <s>{label}</s>
        </p>
      ) : controlled(row, schema) ? (
        <ControlOf
          label={label}
          property={schema?.properties[row.name] ?? {}}
          required={schema?.required?.includes(row.name) ?? false}
          value={shownValue(row, schema)}
          wrong={wrong}
          hint={wrong && row.sent !== undefined ? t('quarantine.sent', { value: row.sent }) : undefined}
          onChange={(value: Value) => onChange(withValue(row, value))}
        />
      ) : (
        <AsSent label={label} row={row} wrong={wrong} onChange={onChange} />
      )}
      <button
        type="button"
        class="quiet"
        onClick={() => onChange({ ...row, leftOut: !row.leftOut, unread: false })}
      >
        {t(row.leftOut ? 'quarantine.put_back' : 'quarantine.leave_out')}
      </button>
    </div>
  );
}

/** What no control takes: ground, rows that are struck out, fields that the schema does not know. */
function AsSent({ label, row, wrong, onChange }: Omit<ChangedProps, 'schema'> & { label: string }) {
  const [text, setText] = useState(() => JSON.stringify(row.change, null, 1));
  const type = (given: string) => {
    setText(given);
    const change = readChange(given);
    onChange(change ? { ...row, change, unread: false } : { ...row, unread: true });
  };
  return (
    <>
      <Field label={label} hint={row.unread ? t('quarantine.unread') : undefined}>
        <textarea
          class="code-text"
          dir="ltr"
          rows={4}
          spellcheck={false}
          aria-invalid={row.unread || wrong !== undefined}
          value={text}
          onInput={({ currentTarget }) => type(currentTarget.value)}
        />
      </Field>
      {wrong && (
        <p class="wrong" lang="en" dir="ltr">
          {wrong}
        </p>
      )}
    </>
  );
}
