// The page and its parameters, in the address after `#`: an address can be kept and handed on.

import { computed, signal } from '@preact/signals';

const hash = signal(location.hash);
addEventListener('hashchange', () => {
  hash.value = location.hash;
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

/** Changes some parameters of this page without a step in the browser's history. */
export function amend(changes: Parameters): void {
  const { page, parameters } = place.value;
  const next: Parameters = Object.fromEntries(parameters);
  history.replaceState(null, '', href(page, { ...next, ...changes }));
  hash.value = location.hash;
}
