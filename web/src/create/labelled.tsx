// What is around every control: its label with the unit, and what is wrong below.

import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useReducer, useRef } from 'preact/hooks';
import { Field } from '../components/field';
import { t } from '../i18n';
import type { Property, Value } from '../record/model';

export interface Control {
  label: string;
  property: Property;
  required: boolean;
  value: Value;
  onChange: (value: Value) => void;
  /** What the server says against it. */
  wrong?: string;
  hint?: string;
}

interface Labelled {
  control: Control;
  /** Why what is typed cannot be taken; nothing where it can. It is not saved while that is so. */
  unread?: string;
  children: (about: object) => ComponentChildren;
}

/** A label with its unit, and what is wrong below. */
export function Labelled({ control, unread = '', children }: Labelled) {
  const wrong = useId();
  const input = useRef<HTMLInputElement>(null);
  // Nobody is interrupted: it is looked at first when its typist leaves it or wants to save, and from then on always.
  const [looked, look] = useReducer<number, void>((times) => times + 1, 0);
  useLayoutEffect(() => input.current?.setCustomValidity(unread), [unread]);
  const isBad = input.current?.validity.badInput;
  const own = looked > 0 && (unread || (isBad && t('create.bad_input')));
  const unit = control.property['x-unit'];
  const label = unit && unit !== '1' ? `${control.label} (${unit})` : control.label;
  const about = own || control.wrong ? { 'aria-invalid': true, 'aria-describedby': wrong } : {};
  return (
    <div>
      <Field label={control.required ? `${label} *` : label} hint={control.hint}>
        {children({
          ...about,
          ref: input,
          required: control.required,
          onBlur: () => look(),
          onInvalid: () => look(),
        })}
      </Field>
      {own ? (
        <p class="wrong" id={wrong}>
          {own}
        </p>
      ) : (
        <Wrong id={wrong} text={control.wrong} />
      )}
    </div>
  );
}

/** What the server says against a field, in its own words. */
function Wrong({ id, text }: { id?: string; text: string | undefined }) {
  if (!text) return null;
  return (
    <p class="wrong" id={id} lang="en" dir="ltr">
      {text}
    </p>
  );
}

/** Several controls of one field. */
export function Group({ control, children }: { control: Control; children: ComponentChildren }) {
  return (
    <fieldset aria-invalid={control.wrong ? true : undefined}>
      <legend>{control.required ? `${control.label} *` : control.label}</legend>
      {children}
      <Wrong text={control.wrong} />
    </fieldset>
  );
}
