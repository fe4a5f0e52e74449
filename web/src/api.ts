// Requests to this server, as whoever is logged in.

import { t } from './i18n';
import { stir } from './live';
import { Problem, problemOf } from './problem';
import { refresh, token } from './session';

interface Options {
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

async function send(method: string, path: string, options: Options = {}): Promise<Response> {
  const attempt = async () => {
    const headers: Record<string, string> = { ...options.headers };
    const known = await token();
    // Without it the server would ask for a password, and browsers would put a window of their own before ours.
    if (!known) throw new Problem(401, 'unauthorized', t('error.session'));
    headers.authorization = `Bearer ${known}`;
    if (options.body !== undefined) headers['content-type'] = 'application/json';
    const body = options.body === undefined ? undefined : JSON.stringify(options.body);
    return fetch(path, { method, headers, body, signal: options.signal });
  };
  let answer = await attempt();
  // The account may have been logged out elsewhere, or the server's keys have changed.
  if (answer.status === 401 && (await refresh())) answer = await attempt();
  if (!answer.ok) throw await problemOf(answer);
  if (method !== 'GET') stir();
  return answer;
}

async function json<T>(method: string, path: string, options?: Options): Promise<T> {
  const answer = await send(method, path, options);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

export const api = {
  get: <T>(path: string, options?: Options) => json<T>('GET', path, options),
  post: <T>(path: string, body: unknown, options?: Options) => json<T>('POST', path, { ...options, body }),
  put: <T>(path: string, body: unknown, options?: Options) => json<T>('PUT', path, { ...options, body }),
  patch: <T>(path: string, body: unknown, options?: Options) => json<T>('PATCH', path, { ...options, body }),
  delete: (path: string) => send('DELETE', path),
  /** Makes something of which the headers say where it is. */
  create: (path: string, body: unknown) => send('POST', path, { body }),
  /** The answer with its headers. */
  raw: (path: string, options?: Options) => send('GET', path, options),
};

/** `path?name=value…` without what is empty. */
export function query(
  path: string,
  parameters: Record<string, string | number | boolean | null | undefined>,
): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== '') pairs.set(name, String(value));
  }
  const text = pairs.toString();
  return text ? `${path}?${text}` : path;
}

export function isProblem(fault: unknown, status: number): boolean {
  return fault instanceof Problem && fault.status === status;
}
