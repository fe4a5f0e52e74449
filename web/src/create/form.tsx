import { t } from '../i18n';
import { labelOf, type Schema, type Value } from '../record/model';
import { ControlOf } from './controls';

/** What the server gives, what a tablet sends, and what is typed elsewhere in the form. */
const ELSEWHERE = ['reference', 'attachments', 'as_entered', 'constructed'];

const NAMES = ['local_reference', 'name'];

interface Props {
  schema: Schema;
  values: Record<string, Value>;
  /** What the server says against a field, by its name. */
  wrong: Map<string, string>;
  onChange: (values: Record<string, Value>) => void;
}

/** The fields of a kind in the order of its schema: what must be said first, the rest behind it. */
export function Fields({ schema, values, wrong, onChange }: Props) {
  const required = (name: string) => schema.required?.includes(name) ?? false;
  const names = Object.keys(schema.properties).filter((name) => {
    return !ELSEWHERE.includes(name) && !schema.properties[name]?.readOnly;
  });
  const control = (name: string) => (
    <ControlOf
      key={name}
      label={labelOf(schema, name)}
      property={schema.properties[name] ?? {}}
      required={required(name)}
      value={values[name]}
      wrong={wrong.get(name)}
      onChange={(value) => onChange({ ...values, [name]: value })}
    />
  );
  // When something held decides in which year it counts.
  const times = Object.values(schema['x-time'] ?? {});
  const first = names.filter((name) => required(name) || times.includes(name) || NAMES.includes(name));
  const rest = names.filter((name) => !first.includes(name));
  return (
    <>
      {first.sort((one, other) => Number(required(other)) - Number(required(one))).map(control)}
      <details open={rest.some((name) => wrong.has(name)) || undefined}>
        <summary>{t('create.more')}</summary>
        <div class="act">{rest.map(control)}</div>
      </details>
    </>
  );
}
