/** What is asked of a reconcile, what its record notes between its stages, and what it comes to. */

import { workNotes } from '../../work/workNotes.ts';
import type { WorkRun } from '../../work/workRun.ts';
import type { DriftCounts, LastReconcile } from '../notes/lastReconcile.ts';
import type { SplitSnapshot } from './splitSnapshot.ts';

export interface ReconcileRequest {
  /** Why, where no person has asked for it: a sentence without secrets. */
  readonly reason?: string;
  /** Nothing is repaired. Default: false. */
  readonly dryRun?: boolean;
  /** The time of the schedule that it is for, ISO UTC. */
  readonly slot?: string;
}

export interface ReconcileNotes {
  /** The backup that stands for an export. Its name here keeps it from being removed. */
  readonly backup?: string;
  /** Our clock, before the reading of the registry began, ISO UTC: rows that are newer are left alone. */
  readonly begunAt?: string;
  readonly split?: SplitSnapshot;
  /** Pieces of the split that are done, and what was found in them. */
  readonly pieces?: number;
  readonly counts?: DriftCounts;
}

export const { notesOf, note, noteOnce } = workNotes<ReconcileNotes>();

/** What scripts read of it. */
export type ReconcileResult = Omit<LastReconcile, 'runId' | 'at'>;

export function isDryRun({ request }: Pick<WorkRun, 'request'>): boolean {
  return request['dryRun'] === true;
}
