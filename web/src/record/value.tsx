import type { Names } from '../organisations';
import type { Schema, Value } from './model';
import { RecordLink } from './name';
import { wordsOf } from './words';

interface Props {
  schema: Schema | undefined;
  field: string;
  value: Value;
  organisations: Names;
}

/** The records that a field names by their ids. */
function named(schema: Schema | undefined, field: string, value: Value): string[] {
  if (!schema?.properties[field]?.['x-ref']) return [];
  return [value].flat().filter((id) => typeof id === 'string');
}

/** What a field says: in words, or the records that it names, by their names. */
export function FieldValue({ schema, field, value, organisations }: Props) {
  const ids = named(schema, field, value);
  if (ids.length === 0) return <>{wordsOf(schema, field, value, organisations)}</>;
  return (
    <>
      {ids.map((id, place) => (
        <span key={id}>
          {place > 0 && ', '}
          <RecordLink id={id} />
        </span>
      ))}
    </>
  );
}
