// The server's clock. Days are counted by it, in UTC, wherever the reader is and whatever their machine believes.

import { signal } from '@preact/signals';

/** How far the server's clock is ahead of this machine's, in milliseconds. */
const ahead = signal(0);

/** Sets the clock by an answer that comes from no cache. */
export function setClock(answer: Response): void {
  const told = Date.parse(answer.headers.get('date') ?? '');
  if (!Number.isNaN(told)) ahead.value = told - Date.now();
}

/** The day that it is for the server. */
export function today(): string {
  return new Date(Date.now() + ahead.value).toISOString().slice(0, 10);
}

/** A day that has come. Nobody knows what will stand on one that has not: in its place today is shown. */
export function come(day: string): string {
  const now = today();
  return day > now ? now : day;
}
