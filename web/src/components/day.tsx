import { useState } from 'preact/hooks';
import { today } from '../clock';

/** Years of four digits: of the others only the beginning has been typed. */
const FIRST = '1900-01-01';

/** The field of a day that has come; one that is only half typed is nobody's. */
export function Day(props: { value: string; onChange: (day: string) => void }) {
  // What is being typed, and the day that is shown meanwhile: written back in the middle, it would become another.
  const [typed, setTyped] = useState<{ text: string; shown: string } | null>(null);
  return (
    <input
      type="date"
      min={FIRST}
      max={today()}
      value={typed?.shown === props.value ? typed.text : props.value}
      onInput={({ currentTarget: { value: text, validity } }) => {
        const isWhole = text !== '' && validity.valid;
        setTyped({ text, shown: isWhole ? text : props.value });
        if (isWhole) props.onChange(text);
      }}
      onBlur={() => setTyped(null)}
    />
  );
}
