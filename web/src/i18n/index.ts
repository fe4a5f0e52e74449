// The words of the console. A language is a catalogue of ICU messages beside `en.json`, which names every key.

import { effect, signal } from '@preact/signals';
import { IntlMessageFormat } from 'intl-messageformat';
import en from './en.json';

export type Key = keyof typeof en;
type Catalogue = Partial<Record<string, string>>;

export interface Language {
  code: string;
  /** In its own words. */
  name: string;
  direction: 'ltr' | 'rtl';
  /** For numbers and dates: figures stay in the digits of coordinates and order numbers. */
  locale: string;
  load: () => Promise<Catalogue>;
  /** What the schemas of records say, by their English texts. */
  schemas: () => Promise<Catalogue>;
}

export const LANGUAGES: Language[] = [
  {
    code: 'en',
    name: 'English',
    direction: 'ltr',
    locale: 'en-GB',
    load: async () => en,
    schemas: async () => ({}),
  },
  {
    code: 'ar',
    name: 'العربية',
    direction: 'rtl',
    locale: 'ar-u-nu-latn',
    load: async () => (await import('./ar.json')).default,
    schemas: async () => (await import('./ar.schema.json')).default,
  },
];

const english = LANGUAGES[0] as Language;
const STORED = 'cartagena.language';

export const language = signal<Language>(english);
const catalogue = signal<Catalogue>(en);
const terms = signal<Catalogue>({});
let formats = new Map<string, IntlMessageFormat>();

export async function speak(code: string): Promise<void> {
  const next = LANGUAGES.find((known) => known.code === code) ?? english;
  const [words, ofSchemas] = await Promise.all([next.load(), next.schemas()]);
  formats = new Map();
  catalogue.value = words;
  terms.value = ofSchemas;
  language.value = next;
  localStorage.setItem(STORED, next.code);
}

/** The language chosen before, else the browser's, else English. */
export function begin(): Promise<void> {
  effect(() => {
    document.documentElement.lang = language.value.code;
    document.documentElement.dir = language.value.direction;
  });
  return speak(localStorage.getItem(STORED) ?? navigator.language.slice(0, 2));
}

/** A number, a date or a place that stays in its order in a text from right to left. */
export function whole(text: string): string {
  return language.value.direction === 'rtl' ? `\u2066${text}\u2069` : text;
}

type Values = Record<string, string | number>;

const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** Values as they stand within a sentence. */
function within(values: Values | undefined): Values | undefined {
  if (!values) return undefined;
  const pairs = Object.entries(values).map(([name, value]) => [
    name,
    typeof value === 'string' && DATE.test(value) ? whole(value) : value,
  ]);
  return Object.fromEntries(pairs);
}

function format(key: string, message: string, values?: Values): string {
  let made = formats.get(key);
  if (!made) {
    made = new IntlMessageFormat(message, language.value.locale);
    formats.set(key, made);
  }
  return String(made.format(within(values)));
}

/** A message; in English where the language's catalogue lacks it. */
export function t(key: Key, values?: Values): string {
  return format(key, catalogue.value[key] ?? en[key], values);
}

/** A word of a fixed vocabulary of the API (`stage.draft`, `role.observer`), or the API's own word. */
export function word(vocabulary: string, value: string | null | undefined): string {
  if (!value) return t('none');
  const key = `${vocabulary}.${value}`;
  const message = catalogue.value[key] ?? (en as Catalogue)[key];
  return message ? format(key, message) : value.replaceAll('_', ' ');
}

/** What a schema says in English, for its fields and their codes; as it stands where the language's catalogue lacks it. */
export function term(text: string): string {
  return terms.value[text] ?? text;
}
