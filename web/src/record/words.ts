// What a field says, in words.

import { t, whole } from '../i18n';
import { write } from '../map/coordinates';
import { storedFormat } from '../map/readout';
import type { Names } from '../organisations';
import { nameCode, nameField, type Property, type Schema, type Value } from './model';

const isPlace = (property: Property | undefined) => property?.$ref === '#/$defs/position';

/** A place in the form that the reader works with, and its height where it has one. */
export function placeWords([lon = 0, lat = 0, height]: number[]): string {
  const place = whole(write(lon, lat, storedFormat()));
  return height === undefined ? place : `${place}, ${whole(t('unit.m', { value: height }))}`;
}

function plain(value: Value, property: Property | undefined): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'string') {
    return property?.format === 'date' ? whole(value) : nameCode(property, value);
  }
  if (typeof value === 'number') {
    const unit = property?.['x-unit'];
    return whole(unit && unit !== '1' ? `${value} ${unit}` : String(value));
  }
  if (typeof value === 'boolean') return value ? '✓' : '✗';
  if (Array.isArray(value)) {
    if (isPlace(property) && value.length > 1) return placeWords(value as number[]);
    return value.map((one) => plain(one, property?.items)).join(', ');
  }
  const parts = Object.entries(value as Record<string, Value>).filter(([name]) => name !== 'id');
  return parts
    .map(([name, part]) => {
      const known = property?.properties?.[name];
      // A schema names its order of numbers; people write theirs.
      const label = isPlace(known) ? t('position.title') : nameField(known, name);
      return `${label}: ${plain(part, known)}`;
    })
    .join('; ');
}

/** A field's value in words, as its schema has them; an organisation by its name, where names are at hand. */
export function wordsOf(
  schema: Schema | undefined,
  field: string,
  value: Value,
  organisations?: Names,
): string {
  const property = schema?.properties[field];
  if (property?.['x-organisation']) return organisations?.get(String(value)) ?? plain(value, property);
  if (Array.isArray(value) && !isPlace(property)) {
    if (value.length === 0) return '–';
    const rows = value.some((one) => typeof one === 'object');
    return value.map((one) => plain(one, property?.items)).join(rows ? '\n' : ', ');
  }
  return plain(value, property);
}
