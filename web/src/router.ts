// The page and its parameters, in the address after `#`: an address can be kept and handed on.

import { computed, signal } from '@preact/signals';
import { mayLeave } from './unsaved';

const hash = signal(location.hash);
/** Shows an address, and marks its entry in the browser's history: one without a mark has only just been made. */
function show(address: string): void {
  history.replaceState('shown', '', address);
  hash.value = location.hash;
}

show(location.hash);
addEventListener('hashchange', () => {
  if (location.hash === hash.value) return;
  if (mayLeave()) show(location.hash);
  else if (history.state === null) history.back();
  else history.pushState('shown', '', hash.value);
});

export interface Place {
  page: string;
  parameters: URLSearchParams;
}

export const place = computed<Place>(() => {
  const [page = '', parameters = ''] = hash.value.replace(/^#\/?/, '').split('?');
  return { page, parameters: new URLSearchParams(parameters) };
});

export type Parameters = Record<string, string | number | null | undefined>;

export function href(page: string, parameters: Parameters = {}): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== '') pairs.set(name, String(value));
  }
  const text = pairs.toString();
  return `#/${page}${text ? `?${text}` : ''}`;
}

export function go(page: string, parameters: Parameters = {}): void {
  location.hash = href(page, parameters);
}

/** What is shown on a page: where something else is, what was typed into it is gone. */
const SHOWN = ['record', 'new', 'conflict'];

/** Changes some parameters of this page without a step in the browser's history; not where its reader would rather stay. */
export function amend(changes: Parameters): boolean {
  const { page, parameters } = place.value;
  const isOther = (name: string) => name in changes && (changes[name] ?? null) !== parameters.get(name);
  if (SHOWN.some(isOther) && !mayLeave()) return false;
  const next: Parameters = Object.fromEntries(parameters);
  show(href(page, { ...next, ...changes }));
  return true;
}
