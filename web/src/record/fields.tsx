import { t } from '../i18n';
import type { Names } from '../organisations';
import { labelOf, type RecordFeature, useSchema } from './model';
import { FieldValue } from './value';

/** What is shown elsewhere, or says nothing to people. */
const ELSEWHERE = new Set(['reference', 'attachments', 'as_entered', 'constructed']);

/** What a record says, field by field in the order of its schema. */
export function Fields({ record, organisations }: { record: RecordFeature; organisations: Names }) {
  const schema = useSchema(record.kind);
  const order = Object.keys(schema?.properties ?? {});
  const place = (field: string) => (order.indexOf(field) + order.length + 1) % (order.length + 1);
  const fields = Object.keys(record.properties)
    .filter((field) => !ELSEWHERE.has(field))
    .sort((one, other) => place(one) - place(other));
  return (
    <section>
      <h3>{t('record.says')}</h3>
      <dl class="fields">
        {fields.map((field) => (
          <div key={field}>
            <dt dir="auto">{labelOf(schema, field)}</dt>
            <dd dir="auto">
              <FieldValue
                schema={schema}
                field={field}
                value={record.properties[field]}
                organisations={organisations}
              />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
