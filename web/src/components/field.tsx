import type { ComponentChildren } from 'preact';

/** A control with its label. */
export function Field(props: { label: string; hint?: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is its child
    <label class="field">
      <span>{props.label}</span>
      {props.children}
      {props.hint && <small>{props.hint}</small>}
    </label>
  );
}

/** A choice of one of a few. */
export function Choice(props: {
  label: string;
  value: string;
  options: [value: string, words: string][];
  onChange: (value: string) => void;
}) {
  return (
    <Field label={props.label}>
      <select
        value={props.value}
        onChange={({ currentTarget }) => {
          const chosen = currentTarget.value;
          // It shows what is so: whoever is asked may decide not to have it.
          currentTarget.value = props.value;
          props.onChange(chosen);
        }}
      >
        {props.options.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
    </Field>
  );
}
