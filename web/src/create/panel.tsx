// A record made in the office: a form of its kind's schema, and its ground drawn on the map or typed.

import type { Map as MapLibre } from 'maplibre-gl';
import type { TargetedSubmitEvent } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { Choice } from '../components/field';
import { Busy, Fault, Show } from '../components/states';
import { isReadable, useWrongFocused } from '../components/wrong';
import { t, word } from '../i18n';
import { useLoad } from '../load';
import { wrongFields } from '../problem';
import { loadSchema, type Schema, type Value } from '../record/model';
import { takeStep } from '../review/model';
import { amend } from '../router';
import { session } from '../session';
import { useUnsaved } from '../unsaved';
import { Fields } from './form';
import { type Ground, GroundField, isWhole, NOWHERE } from './ground';
import { FEWEST, loadKinds, make, mayMake, needsPlace, newId, shapesOf } from './model';

interface Props {
  map: MapLibre;
  kind: string;
  onClose: () => void;
}

export default function NewRecord({ map, kind, onClose }: Props) {
  const kinds = useLoad('kinds', loadKinds, false);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <>
      <button type="button" class="quiet icon close" aria-label={t('close')} onClick={onClose}>
        ✕
      </button>
      <h2 ref={heading} tabIndex={-1}>
        {t('create.title')}
      </h2>
      <Show of={kinds}>
        {(known) => {
          const mine = known.filter((one) => mayMake(session.value?.role, one));
          const chosen = mine.includes(kind) ? kind : (mine[0] ?? '');
          return (
            <>
              <Choice
                label={t('kind')}
                value={chosen}
                options={mine.map((one) => [one, word('kind', one)])}
                onChange={(next) => amend({ new: next })}
              />
              <OfKind key={chosen} map={map} kind={chosen} onClose={onClose} />
            </>
          );
        }}
      </Show>
    </>
  );
}

function OfKind(props: Props) {
  const schema = useLoad(`schema ${props.kind}`, () => loadSchema(props.kind), false);
  return <Show of={schema}>{(known) => <Form {...props} schema={known} />}</Show>;
}

/** What was typed is kept as it was typed. */
function said(values: Record<string, Value>, ground: Ground): Record<string, Value> {
  const isTyped = ground.shape && ground.typed && ground.text;
  return isTyped ? { ...values, as_entered: { raw_text: ground.text } } : values;
}

function Form({ map, kind, schema, onClose }: Props & { schema: Schema }) {
  const shapes = shapesOf(schema);
  const [values, setValues] = useState<Record<string, Value>>({});
  const [ground, setGround] = useState<Ground>({ ...NOWHERE, shape: shapes[0] ?? null });
  // Pressed again after an answer that was lost, the button makes no second record.
  const [id] = useState(newId);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const change = useCallback((next: (was: Ground) => Ground) => setGround(next), []);
  const wrong = wrongFields(fault);
  const form = useWrongFocused<HTMLFormElement>(wrong);
  const { sent } = useUnsaved(Object.keys(values).length > 0 || ground.text !== '');
  const save = async (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!isReadable(event.currentTarget)) return;
    const submit = (event.submitter as HTMLButtonElement | null)?.value === 'submit';
    setBusy(true);
    setFault(undefined);
    try {
      const made = await make(id, kind, schema, ground.shape, ground.places, said(values, ground));
      // A draft that cannot be put forward is there all the same; what is read next says so beside its own button.
      const refused =
        submit &&
        (await takeStep(made, 'submit', '').then(
          () => false,
          () => true,
        ));
      sent();
      amend({ new: null, record: made.id, unsubmitted: refused ? made.id : null });
    } catch (thrown) {
      setFault(thrown);
      setBusy(false);
    }
  };
  return (
    <form ref={form} class="act" noValidate onSubmit={save}>
      <p class="muted">{t('create.hint')}</p>
      {shapes.length > 0 && (
        <GroundField
          map={map}
          shapes={shapes}
          required={needsPlace(schema)}
          ground={ground}
          onChange={change}
        />
      )}
      <Fields schema={schema} values={values} wrong={wrong} onChange={setValues} />
      {fault !== undefined && <Fault fault={fault} />}
      {busy && <Busy />}
      {!isWhole(ground) && ground.unread === null && ground.shape && (
        <p class="muted">
          {t(needsPlace(schema) ? 'create.unfinished_required' : 'create.unfinished', {
            count: FEWEST[ground.shape],
          })}
        </p>
      )}
      <div class="actions">
        <button type="submit" class="primary" disabled={busy || !isWhole(ground)}>
          {t('create.save')}
        </button>
        <button type="submit" value="submit" disabled={busy || !isWhole(ground)}>
          {t('create.submit')}
        </button>
        <button type="button" onClick={onClose}>
          {t('cancel')}
        </button>
      </div>
    </form>
  );
}
