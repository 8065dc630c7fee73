/** What the records of these runs note between their stages. */

import type { BackupEtags } from '../backup/catalogue.ts';
import type { SnapshotKeys } from '../registryLines/snapshot.ts';
import type { RestPart } from '../work/restParts.ts';
import { type SharedNotes, workNotes } from '../work/workNotes.ts';
import type { WorkRun } from '../work/workRun.ts';
import type { WrittenPlan } from './writePlan.ts';

export interface RestoreNotes extends SharedNotes {
  /** Whether the backup has keys. */
  readonly keys?: SnapshotKeys;
  /** The versions of the files of the backup that were verified. */
  readonly verified?: BackupEtags;
  readonly plan?: WrittenPlan;
  /** What differed in the end. */
  readonly differences?: number;
  /** Of a delete-all: the run that makes the backup, and the backup that its lines are made from. */
  readonly backedUpBy?: string;
  readonly backup?: string;
  /** Its lines, in the container of the run; without a name: there are none. */
  readonly deletes?: { readonly blobName?: string };
  /** The rest of a run that has no plan. */
  readonly rest?: readonly RestPart[];
}

export const { notesOf, note, noteOnce } = workNotes<RestoreNotes>();

/** @throws Error when the stages were taken out of order */
export function planOf(record: WorkRun): WrittenPlan {
  const { plan } = notesOf(record);
  if (plan === undefined) throw new Error(`The run ${record.runId} has no plan.`);
  return plan;
}
