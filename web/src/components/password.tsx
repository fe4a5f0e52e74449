import { Field } from './field';

interface Props {
  label: string;
  hint?: string;
  name?: string;
  /** What a password manager is to fill in. */
  autocomplete: 'current-password' | 'new-password';
  value: string;
  onChange: (value: string) => void;
}

export function Password({ label, hint, name, autocomplete, value, onChange }: Props) {
  return (
    <Field label={label} hint={hint}>
      <input
        name={name}
        type="password"
        autocomplete={autocomplete}
        required
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </Field>
  );
}
