// Passwords with which programs ask in somebody's name (src/http/map_passwords.rs).

import { api } from '../api';

export interface MapPassword {
  id: string;
  name: string;
  scope: string;
  created_at: string;
  last_used_at: string | null;
}

export interface OwnedMapPassword extends MapPassword {
  account: string;
}

const OWN = '/v1/account/map-passwords';
const ALL = '/v1/map-passwords';

export const loadOwn = (signal: AbortSignal) => api.get<MapPassword[]>(OWN, { signal });
export const loadAll = (signal: AbortSignal) => api.get<OwnedMapPassword[]>(ALL, { signal });
export const revokeOwn = (id: string) => api.delete(`${OWN}/${id}`);
export const revokeAny = (id: string) => api.delete(`${ALL}/${id}`);

/** The password is in the answer and nowhere else. */
export async function make(name: string, scope: string, accountPassword: string): Promise<string> {
  const asked = { name, scope, account_password: accountPassword };
  return (await api.post<{ password: string }>(OWN, asked)).password;
}
