import type { InputHTMLAttributes } from 'preact';
import { useState } from 'preact/hooks';

const read = (text: string) => (text === '' ? undefined : Number(text));

interface Props extends Omit<InputHTMLAttributes, 'type' | 'role' | 'value' | 'onInput' | 'onChange'> {
  value: number | null | undefined;
  /** Nothing where the field is empty, or holds what is no number. */
  onChange: (value: number | undefined) => void;
}

/** A field for a number that leaves its text alone: on the way to `0.05`, `0.0` is the number 0 and must not become `0`. */
export function NumberInput({ value, onChange, ...rest }: Props) {
  const [text, setText] = useState('');
  const known = value ?? undefined;
  return (
    <input
      {...rest}
      type="number"
      value={read(text) === known ? text : String(known ?? '')}
      onInput={({ currentTarget }) => {
        setText(currentTarget.value);
        onChange(read(currentTarget.value));
      }}
    />
  );
}
