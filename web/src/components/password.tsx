import { Field } from './field';

interface Props {
  label: string;
  hint?: string;
  name?: string;
  /** What a password manager is to fill in. */
  autocomplete: 'current-password' | 'new-password';
  /** Whether it is what is typed first. */
  first?: boolean;
  value: string;
  onChange: (value: string) => void;
}

export function Password({ label, hint, name, autocomplete, first, value, onChange }: Props) {
  return (
    <Field label={label} hint={hint}>
      <input
        name={name}
        type="password"
        autocomplete={autocomplete}
        required
        autofocus={first}
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </Field>
  );
}
