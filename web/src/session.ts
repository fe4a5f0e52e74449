// Who is logged in. The access token lives in this module and nowhere else; the refresh token lies in a cookie that no
// script can read (src/http/browser.rs).

import { signal } from '@preact/signals';
import { setClock } from './clock';
import { problemOf } from './problem';
import { giveUp, isUnsaved } from './unsaved';

export interface Session {
  access_token: string;
  expires_in: number;
  account: string;
  login: string;
  name: string;
  role: string;
  organisation: string;
  permissions: string[];
  must_change: boolean;
}

/** `undefined` while it is not known yet, `null` where nobody is logged in. */
export const session = signal<Session | null | undefined>(undefined);
/** The session is over, and what its person was doing still stands there: they log in again over it. */
export const ended = signal(false);

let goodUntil = 0;
/** An access token that is nearer to its end is exchanged first, so that no request meets the end on its way. */
const MARGIN_MS = 30_000;

export function may(permission: string): boolean {
  return session.value?.permissions.includes(permission) ?? false;
}

/** Donors and the public are shown released ground only; a map without hazards must say so. */
export function seesHazards(): boolean {
  return session.value?.role !== 'observer';
}

const sameReader = (one: Session, other: Session) =>
  one.account === other.account && one.role === other.role && one.organisation === other.organisation;

/** Whoever was logged in on this page first. What it has loaded, and what stands half done in it, is theirs alone. */
let reader: Session | null = null;
const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('cartagena-session') : null;

/** Begins the page anew for another reader, or for one who is something else now. Nothing that waits goes on. */
function leave(isAnother: boolean): Promise<never> {
  if (isAnother) giveUp();
  location.reload();
  return new Promise(() => {});
}

// Tabs share the cookie: who logs in or out in one does so in all.
channel?.addEventListener('message', ({ data }: MessageEvent<Session['account'] | null>) => {
  const known = session.value;
  if (known && data === null) {
    // What stands half done here was not asked about there: its reader logs in again over it.
    if (isUnsaved()) ended.value = true;
    else session.value = null;
  } else if (known && known.account !== data) void leave(true);
  else if (known && ended.value) {
    // The same reader is logged in again: this tab goes on by the cookie that all share.
    goodUntil = 0;
    ended.value = false;
  }
});

async function begin(next: Session): Promise<Session> {
  if (reader && !sameReader(reader, next)) return leave(reader.account !== next.account);
  reader = next;
  ended.value = false;
  goodUntil = Date.now() + next.expires_in * 1000 - MARGIN_MS;
  session.value = next;
  return next;
}

async function ask(method: string, path: string, body?: unknown): Promise<Response> {
  const headers = body === undefined ? undefined : { 'content-type': 'application/json' };
  const answer = await fetch(path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  setClock(answer);
  return answer;
}

/**
 * One tab at a time: a refresh token that is used twice ends the session, and what one tab is told of the cookie must
 * not overwrite what another has just begun.
 */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  return navigator.locks ? navigator.locks.request('cartagena-session', work) : work();
}

export async function logIn(login: string, password: string): Promise<Session> {
  const answer = await inTurn(() => ask('POST', '/v1/session', { login, password }));
  if (!answer.ok) throw await problemOf(answer);
  const begun = (await answer.json()) as Session;
  channel?.postMessage(begun.account);
  return begin(begun);
}

let refreshing: Promise<Session | null> | null = null;

/** Goes on with the session of the cookie; `null` where there is none. */
export function refresh(): Promise<Session | null> {
  refreshing ??= inTurn(async () => {
    const answer = await ask('POST', '/v1/session/refresh');
    if (answer.ok) return begin((await answer.json()) as Session);
    if (answer.status !== 401) throw await problemOf(answer);
    if (session.value) ended.value = true;
    else session.value = null;
    return null;
  }).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

/** An access token that is still good for the next request; `null` where nobody is logged in. */
export async function token(): Promise<string | null> {
  const known = session.value;
  if (ended.value) return null;
  if (known && Date.now() < goodUntil) return known.access_token;
  return (await refresh())?.access_token ?? null;
}

/** Logs out. Where the server does not say that the session is over, it is not. */
export async function logOut(): Promise<void> {
  const answer = await inTurn(() => ask('DELETE', '/v1/session'));
  if (!answer.ok) throw await problemOf(answer);
  channel?.postMessage(null);
  ended.value = false;
  session.value = null;
}

/** Sets another password, which ends every session of the account, and begins a new one. */
export async function changePassword(old: string, next: string): Promise<void> {
  const known = session.value;
  if (!known) return;
  const answer = await fetch('/v1/auth/password', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await token()}` },
    body: JSON.stringify({ old, new: next }),
  });
  if (!answer.ok) throw await problemOf(answer);
  await logIn(known.login, next);
}
