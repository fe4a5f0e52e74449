// Numbers, areas and times as people read them. Rounded here and nowhere before.

import { language, t, whole } from './i18n';

function number(value: number, digits: number): string {
  return new Intl.NumberFormat(language.value.locale, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}

export function count(value: number): string {
  return number(value, 0);
}

export function ratio(value: number): string {
  return number(value, 2);
}

/** m² without a fraction. */
export function m2(value: number): string {
  return t('unit.m2', { value: number(value, 0) });
}

/** km² to the hectare. */
export function km2(value: number): string {
  return t('unit.km2', { value: plainKm2(value) });
}

/** km² as a number alone, for tables whose head says the unit. */
export function plainKm2(value: number): string {
  const rounded = Math.round(value / 1e3) / 1e3;
  return number(rounded === 0 ? 0 : rounded, 3);
}

/** A change, with its sign. */
export function signedM2(value: number): string {
  const sign = value > 0 ? '+' : value < 0 ? '−' : '±';
  return t('unit.m2', { value: whole(`${sign}${number(Math.abs(value), 0)}`) });
}

/** A day as it is written everywhere in the programme: 2024-12-31. */
export function day(value: string | null | undefined): string {
  return value ? value.slice(0, 10) : t('none');
}

/** A day beside its year: 15 March. */
export function dayOfYear(value: string): string {
  return new Intl.DateTimeFormat(language.value.locale, {
    day: 'numeric',
    month: 'long',
    timeZone: 'UTC',
  }).format(new Date(value.slice(0, 10)));
}

/** A day in a sentence: 27 November 2026. */
export function longDay(value: string): string {
  return new Intl.DateTimeFormat(language.value.locale, { dateStyle: 'long', timeZone: 'UTC' }).format(
    new Date(value.slice(0, 10)),
  );
}

/** A moment in the reader's own time. */
export function moment(value: string | null | undefined): string {
  if (!value) return t('never');
  return new Intl.DateTimeFormat(language.value.locale, { dateStyle: 'medium', timeStyle: 'short' }).format(
    new Date(value),
  );
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** How long ago: two hours ago. */
export function ago(value: string | null | undefined): string {
  if (!value) return t('never');
  const seconds = (new Date(value).getTime() - Date.now()) / 1000;
  const relative = new Intl.RelativeTimeFormat(language.value.locale, { numeric: 'auto' });
  for (const [unit, length] of STEPS) {
    if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  }
  return t('just_now');
}

/** The head of a UUID: enough to tell records apart on a page. */
export function short(id: string): string {
  return id.slice(-8);
}
