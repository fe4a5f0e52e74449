import { api } from './api';
import { useLoad } from './load';

export interface Organisation {
  id: string;
  name: string;
  kind: string;
}

/** Names of organisations by their id. */
export type Names = ReadonlyMap<string, string>;

export function useOrganisations(): Names {
  const all = useLoad(
    'organisations',
    (signal) => api.get<Organisation[]>('/v1/organisations', { signal }),
    false,
  );
  return new Map(all.data?.map(({ id, name }) => [id, name]));
}
