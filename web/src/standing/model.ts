// What the Article 5 page is told.

import { api, query } from '../api';
import { may } from '../session';

export const BASES = ['official', 'provisional'] as const;
export type Basis = (typeof BASES)[number];

/** Whether the ledger's ground on a basis is open to the reader piece by piece: drafts of others are not for everybody. */
export const seesGround = (basis: Basis) => may(basis === 'official' ? 'ReadPieces' : 'ReadDraftGround');

/** Figures under the duty that the page is about. */
export const TREATY = 'apmbc_article_5';

export interface Year {
  year: number;
  opening_m2: number;
  found_m2: number;
  corrected_m2: number;
  reclassified_m2: number;
  cancelled_m2: number;
  reduced_m2: number;
  cleared_m2: number;
  bac_cleared_m2: number;
  remaining_m2: number;
  residual_m2: number;
  ap_mines_found: number;
  other_found: number;
  ap_mines_destroyed: number;
  other_destroyed: number;
}

export interface DeadlineEntry {
  kind: string;
  requested_on: string | null;
  meeting: string | null;
  decided_on: string | null;
  new_deadline: string | null;
}

export interface Progress {
  as_of: string;
  basis: Basis;
  programme: string;
  constructed: boolean;
  seq: number;
  algorithm: string;
  statement: string;
  records_left_out: number;
  deadline: { current: string | null; history: { entries: DeadlineEntry[] } | null; faults: string[] };
  forecast: {
    standing: string;
    reasoning: string;
    required_m2_per_year: number | null;
    mean_m2_per_year: number | null;
    years: number[];
    gap: number | null;
    completion: Record<'earliest' | 'mean' | 'latest' | 'net', string | null>;
  };
  remaining_m2: number;
  remaining: { admin1: string | null; classification: string | null; areas: number; area_m2: number }[];
  reported_only: { areas: number; reported_m2: number };
  doubts: { nothing_recorded: boolean; reported_only: number; left_out: number; unapproved_m2: number };
  years: Year[];
  milestones: { year: number; planned_m2: number; actual_m2: number; planned_areas: number | null }[];
}

export type Both = Record<Basis, Progress>;

/** How often both bases are asked for before they are shown although the log moved between the two answers. */
const TRIES = 2;

/**
 * Both bases – of today, where no day is chosen – out of the same state of the log, if it rests long enough: else they
 * are not to be compared.
 */
export async function loadBoth(asOf: string | null, signal: AbortSignal): Promise<Both> {
  for (let left = TRIES; ; left -= 1) {
    const [official, provisional] = await Promise.all(
      BASES.map((basis) =>
        api.get<Progress>(query('/v1/progress/article5', { as_of: asOf, basis }), { signal }),
      ),
    );
    const both = { official, provisional } as Both;
    if (left === 1 || areComparable(both)) return both;
  }
}

export function areComparable({ official, provisional }: Both): boolean {
  return official.seq === provisional.seq;
}

/** The year that is not over on the day of the figures: what was done in it is no year's work. */
export function runningYear({ as_of }: Pick<Progress, 'as_of'>): number | null {
  return as_of.endsWith('-12-31') ? null : Number(as_of.slice(0, 4));
}

export interface Freeze {
  freeze: {
    id: string;
    year: number;
    basis: string;
    seq: number;
    taken_at: string;
    note: string | null;
    hash: string;
  };
  unchanged: boolean;
  adjustments: Record<string, unknown> | null;
}

export function released(year: Year): number {
  return year.cancelled_m2 + year.reduced_m2 + year.cleared_m2 + year.bac_cleared_m2;
}
