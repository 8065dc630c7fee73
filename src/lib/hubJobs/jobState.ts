/**
 * The state of a job in the container of its run, and the lease under which one attempt at a time changes it.
 *
 * A create whose reply was lost must not become a second job. Before each create, the state notes the jobs that the hub
 * lists (the intent); after a crash, a job that is not among them may be ours.
 */

import { randomUUID } from 'node:crypto';

import type { BlobLeaseClient } from '@azure/storage-blob';
import { openStaging, stagingOf } from '../runs/runContainer.ts';
import type { RunContext } from '../runs/runContext.ts';
import type { RunBase, RunJob } from '../runs/runRecord.ts';
import { readJson, writeJson } from '../storage/jsonBlob.ts';
import { isConditionFailed } from '../storage/storageErrors.ts';

/**
 * One attempt at a time works on the job; a dead one is passed over after this long. Renewed right before the create,
 * which takes at most half of it.
 */
const LEASE_SECONDS = 60;
const LEASE_TRIES = 10;

export type StartedJob = Pick<RunJob, 'jobId' | 'ambiguous' | 'mayBeForeign' | 'createdAt' | 'deadline'>;

export interface JobState {
  /** Set before a create is sent; jobs that were known then cannot be ours. */
  readonly intent?: { readonly at: string; readonly knownJobIds: readonly string[] };
  readonly job?: StartedJob;
  /** What the job would read is of this; a job that was planned by anything else is not started. */
  readonly fence?: string;
  /** The run ended without this job: whoever comes late must not start it. */
  readonly closed?: true;
}

/** The state of a job while this attempt alone may change it. */
export interface HeldState {
  read(): Promise<JobState>;
  save(next: JobState): Promise<void>;
  /** The lease holds for its whole time from now on. */
  renew(): Promise<void>;
}

/**
 * Closes a run to this job, so that it can end without one: nobody starts the job any more, however late. `sent` when it
 * was started, or may have been (a create whose reply was lost): then nothing may be called not sent.
 *
 * @param mayClose asked when the state knows of no job, for its blob may have been lost, and be one that was just made
 */
export async function closeHubJob(
  context: RunContext,
  record: RunBase,
  stateBlob: string,
  mayClose: () => Promise<boolean> = async () => true,
): Promise<'closed' | 'sent' | 'busy'> {
  const closed = await underLease(context, record, stateBlob, async (held) => {
    const state = await held.read();
    if (state.job !== undefined || state.intent !== undefined || !(await mayClose())) return 'sent' as const;
    await held.save({ closed: true });
    return 'closed' as const;
  });
  return closed ?? 'busy';
}

/** Runs `work` while no other attempt works on the same job; undefined when another one does and does not end soon. */
export async function underLease<Result>(
  context: RunContext,
  record: RunBase,
  stateBlob: string,
  work: (held: HeldState) => Promise<Result>,
): Promise<Result | undefined> {
  const container = await openStaging(context, record.runId);
  const blob = container.getBlockBlobClient(stateBlob);
  await writeJson(blob, {}, { ifAbsent: true });
  const lease = blob.getBlobLeaseClient(randomUUID());
  for (let tries = 1; !(await acquired(lease)); tries++) {
    // Another attempt at this very step is under way, or died a moment ago.
    if (tries === LEASE_TRIES) return undefined;
    await context.sleep(500);
  }
  try {
    return await work({
      read: async () => stateOf((await readJson<StoredState>(blob))?.value ?? {}),
      async save(next) {
        if (await writeJson(blob, next, { leaseId: lease.leaseId })) return;
        throw new Error('The lease on the job of this run was lost.');
      },
      async renew() {
        await lease.renewLease();
      },
    });
  } finally {
    // A lease that cannot be released runs out by itself.
    await lease.releaseLease().catch(() => undefined);
  }
}

async function acquired(lease: BlobLeaseClient): Promise<boolean> {
  try {
    await lease.acquireLease(LEASE_SECONDS);
    return true;
  } catch (error) {
    if (isConditionFailed(error)) return false;
    throw error;
  }
}

/** What is known of a job of the run, whoever noted it. */
export async function readJobState(
  context: RunContext,
  record: RunBase,
  stateBlob: string,
): Promise<JobState | undefined> {
  const read = await readJson<StoredState>(stagingOf(context, record.runId).getBlockBlobClient(stateBlob));
  return read && stateOf(read.value);
}

/** Of a run that an earlier version began: its fence has another name. */
type StoredState = JobState & { readonly round?: string };

function stateOf({ round, ...state }: StoredState): JobState {
  return round === undefined ? state : { fence: round, ...state };
}
