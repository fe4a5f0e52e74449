import { t } from '../i18n';
import { labelOf, type Schema } from '../record/model';

/** What is in dispute, in words: a field, the outline, or whether the record is in use at all. */
export function disputedName(schema: Schema | undefined, field: string): string {
  if (field === 'geometry') return t('record.outline');
  return field === 'retired' ? t('retired') : labelOf(schema, field);
}
