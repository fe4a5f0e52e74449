// The programme's settings, as pages need them: names of places, the box of the country.

import type { FeatureCollection } from 'geojson';
import { api } from './api';
import { type Loaded, useLoad } from './load';
import { may } from './session';

export interface Extent {
  west: number;
  south: number;
  east: number;
  north: number;
}

export interface Programme {
  name: string;
  country: string;
  constructed: boolean;
  extent: Extent;
  admin_units?: FeatureCollection | null;
  [setting: string]: unknown;
}

export interface Known {
  programme: Programme;
  /** Name of an administrative unit by its code. */
  units: Map<string, string>;
}

let known: Promise<Known> | null = null;

/** Asked once: it changes with a meeting of states parties. */
export function loadProgramme(): Promise<Known> {
  known ??= api.get<Programme>('/v1/programme').then((programme) => {
    const units = new Map<string, string>();
    for (const feature of programme.admin_units?.features ?? []) {
      units.set(String(feature.properties?.code), String(feature.properties?.name));
    }
    return { programme, units };
  });
  known.catch(() => {
    known = null;
  });
  return known;
}

export function forgetProgramme(): void {
  known = null;
}

/** For what cannot be shown without it. What could not be had is asked for again with the next news. */
export function useLoadedProgramme(): Loaded<Known> {
  return useLoad(may('ReadProgramme') ? 'programme' : null, loadProgramme);
}

/** For what does without it until it is there. */
export function useProgramme(): Known | undefined {
  return useLoadedProgramme().data;
}
