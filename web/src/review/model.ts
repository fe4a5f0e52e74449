// The steps of a review (docs/domain.md §3) as this page offers them; the server decides who may take them.

import { api, query } from '../api';
import type { Page } from '../load';
import type { RecordFeature } from '../record/model';
import { session } from '../session';

export type Action = 'submit' | 'org_validate' | 'ops_validate' | 'finalise' | 'return' | 'reject';

/** The step that carries a record on from a stage. */
export const NEXT: Partial<Record<string, Action>> = {
  draft: 'submit',
  returned: 'submit',
  submitted: 'org_validate',
  org_validated: 'ops_validate',
  ops_validated: 'finalise',
};

export const STAGES = [
  'draft',
  'returned',
  'submitted',
  'org_validated',
  'ops_validated',
  'rejected',
] as const;

/** Whose step it is to carry a record on. */
const STEPS: Record<string, Action[]> = {
  surveyor: ['submit'],
  supervisor: ['submit'],
  programme_manager: ['org_validate', 'submit'],
  qa_officer: ['ops_validate', 'submit'],
  im_officer: ['finalise', 'submit'],
  authority: ['org_validate', 'submit'],
};

export function nextFor({ stage, kind, organisation }: RecordFeature): Action | null {
  const reader = session.value;
  const next = NEXT[stage];
  if (!reader || !next || !STEPS[reader.role]?.includes(next)) return null;
  // Whoever inspects others puts nothing forward but the inspections of their own organisation.
  const isOwnInspection = kind === 'qm_inspection' && organisation === reader.organisation;
  return reader.role !== 'qa_officer' || next !== 'submit' || isOwnInspection ? next : null;
}

/** Whether a role sends records back; which ones, the server knows. */
export function maySendBack(role: string | undefined, stage: string): boolean {
  const reviewer = ['supervisor', 'programme_manager', 'qa_officer', 'im_officer'].includes(role ?? '');
  return reviewer && ['submitted', 'org_validated', 'ops_validated'].includes(stage);
}

/** Records that a page of a stage's queue holds. */
const PAGE = 500;

/** What waits for the reader's step, or – with a stage – everything at it that the reader sees. */
export async function loadQueue(
  stage: string,
  after: number | null,
  signal: AbortSignal,
): Promise<Page<RecordFeature>> {
  const path = stage
    ? query('/v1/records', { stage, retired: true, limit: PAGE, after })
    : '/v1/review/queue';
  const found = await api.get<{ features: RecordFeature[]; next: number | null }>(path, { signal });
  return { rows: found.features, next: found.next };
}

/** How long the reader's own queue is: of each stage the server lists the first only. */
export async function countOwn(signal: AbortSignal): Promise<number> {
  return (await api.get<{ review: number | null }>('/v1/waiting', { signal })).review ?? 0;
}

export function takeStep(
  record: Pick<RecordFeature, 'id' | 'version'>,
  action: Action,
  reason: string,
): Promise<unknown> {
  return api.post(
    `/v1/records/${record.id}/stage`,
    { action, reason: reason || null },
    { headers: { 'if-match': `"${record.version}"` } },
  );
}

export interface Finding {
  rule: string;
  severity: string;
  pointer: string;
  message: string;
}

export async function loadFindings(record: string, signal: AbortSignal): Promise<Finding[]> {
  return (await api.get<{ findings: Finding[] }>(query('/v1/quality', { record }), { signal })).findings;
}
