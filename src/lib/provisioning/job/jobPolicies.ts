/**
 * The five jobs that a run may have its hub do: how each is planned, until when it may still be started, how long it is
 * waited for, and what becomes of the run where it is not.
 *
 * Pre-image and import are what the run is for: without them it ends. The jobs that follow the import may be given up.
 */

import { exportPlan } from '../../hubJobs/exportPlan.ts';
import { closeHubJob, readJobState } from '../../hubJobs/jobState.ts';
import type { HubJobPlan } from '../../hubJobs/startHubJob.ts';
import type { ExportRequest } from '../../registryLines/adoptExport.ts';
import { runErrorOf } from '../../runs/endRun.ts';
import type { RunWaiting } from '../../runs/runRecord.ts';
import { doneWaiting, waitingFor } from '../../runs/waiting.ts';
import { parentsExport } from '../again/parentLinks.ts';
import { changeWaves, demandWaves, isTimeOver, type WavesState } from '../again/waves.ts';
import { prepareConfigurations } from '../configurations/prepareConfigurations.ts';
import { assertDropUnchanged, DropChanged } from '../drop/drop.ts';
import { fillMissing } from '../preImage/fillMissing.ts';
import { preImageExport } from '../preImage/preImage.ts';
import { endWithoutJob } from '../report/endRun.ts';
import { exportJobBlob, IMPORT_JOB_BLOB, PARENTS_JOB_BLOB, RETRY_JOB_BLOB, verifyJobBlob } from '../run/jobBlobs.ts';
import { PHASE_OF } from '../run/jobNotes.ts';
import type { JobKind } from '../run/provisionRun.ts';
import { runError } from '../texts/runErrors.ts';
import { verifyExport } from '../verify/verification.ts';
import { importPlan, type PlannedJob, retryPlan } from './jobPlans.ts';
import { endWithoutImport } from './openChecked.ts';

const MINUTE_MS = 60_000;
/** How long a job whose create had an unclear end is looked for at least. */
export const FIND_MS = 2 * MINUTE_MS;
/** How long a job that comes after the import is waited for while the hub does something else. */
const LONGEST_BUSY_MS = 2 * 60 * MINUTE_MS;

/** Why a job is not started any more. */
export type NotStarted =
  | { readonly is: 'tooLate' | 'busy'; readonly reason: string }
  | { readonly is: 'closed' }
  | { readonly is: 'failed'; readonly error: unknown };

export interface JobPolicy {
  plan(work: PlannedJob): Promise<HubJobPlan>;
  /** Why it may not be created any more; one that was sent, or may have been, is looked for all the same. */
  whyTooLate?(work: PlannedJob): Promise<string | undefined>;
  /** Whether it is certain that it was not sent, and will not be; asked when it is too late. */
  isUnsent?(work: PlannedJob): Promise<boolean>;
  /** How long it is waited for while the hub does something else. */
  readonly longestBusyMs: number;
  /** For how long trouble is waited out at least, whatever `retryMinutes` says. */
  readonly leastTroubleMs: number;
  /** What time of waiting counts as waiting for this job. */
  readonly counted: readonly RunWaiting['kind'][];
  /** What becomes of the run. False: not yet; the job may still come to light. */
  notStarted(work: PlannedJob, why: NotStarted): Promise<boolean>;
}

const ESSENTIAL = {
  longestBusyMs: Number.POSITIVE_INFINITY,
  leastTroubleMs: 0,
  counted: ['trouble'],
  notStarted: endRun,
} as const;

/** For its turn the run may have waited for long before. */
const LATER = { longestBusyMs: LONGEST_BUSY_MS, leastTroubleMs: FIND_MS, counted: ['busy', 'trouble'] } as const;

export const JOB_POLICIES: Readonly<Record<JobKind, JobPolicy>> = {
  export: {
    ...ESSENTIAL,
    async plan(work) {
      const { context, record, check, epoch } = work;
      if (epoch === undefined) throw new Error(`The run ${record.runId} takes no pre-image.`);
      const plan = await exportPlan(context, record, preImageExport(record, check, epoch), {
        stateBlob: exportJobBlob(epoch),
        leastLines: check.accepted,
      });
      return { ...plan, beforeCreate: () => assertDropUnchanged(context, record) };
    },
  },
  import: {
    ...ESSENTIAL,
    async plan(work) {
      const { context, record, check, epoch } = work;
      if (record.options?.dryRun === true) throw new Error(`The run ${record.runId} is a dry run: it imports nothing.`);
      const { blobName } = await fillMissing(context, record, check, epoch);
      const configurationsBlobName = (await prepareConfigurations(context, record, check))?.blobName;
      return importPlan(work, { blobName, configurationsBlobName });
    },
    whyTooLate: whyCancelled,
    // A run that could be closed to its import has ended by now.
    isUnsent: async () => false,
  },
  retry: {
    ...LATER,
    plan: async (work) => retryPlan(work, await planned(work, 'secondJob')),
    async whyTooLate(work) {
      const { context, record } = work;
      const isOver = async () => isTimeOver(context, record, await demandWaves(context, record));
      return (await whyCancelled(work)) ?? ((await isOver()) ? 'the time for retries is over' : undefined);
    },
    isUnsent: isRetryUnsent,
    notStarted: giveUp('retry', 'secondJob'),
  },
  // What was done is verified at any time.
  verify: {
    ...LATER,
    async plan(work) {
      const verification = await planned(work, 'verification');
      const stateBlob = verifyJobBlob(verification.exportTry ?? 1);
      return laterExport(work, verifyExport(verification), stateBlob);
    },
    notStarted: giveUp('verify', 'verification'),
  },
  parents: {
    ...LATER,
    plan: async (work) => laterExport(work, parentsExport(await planned(work, 'parents')), PARENTS_JOB_BLOB),
    whyTooLate: whyCancelled,
    notStarted: giveUp('parents', 'parents'),
  },
};

function laterExport({ context, record, check }: PlannedJob, request: ExportRequest, stateBlob: string) {
  return exportPlan(context, record, request, { stateBlob, leastLines: check.accepted });
}

type PlannedPart = 'secondJob' | 'verification' | 'parents';

async function planned<Part extends PlannedPart>(work: PlannedJob, part: Part): Promise<NonNullable<WavesState[Part]>> {
  const plan = (await demandWaves(work.context, work.record))[part];
  if (plan == null) throw new Error(`The run ${work.record.runId} has not planned its job (${part}).`);
  return plan;
}

async function whyCancelled({ record }: PlannedJob): Promise<string | undefined> {
  return record.cancelRequestedAt === undefined ? undefined : 'the run was cancelled';
}

async function isRetryUnsent({ context, record }: PlannedJob): Promise<boolean> {
  return (await closeHubJob(context, record, RETRY_JOB_BLOB)) === 'closed';
}

/** What the job was to do is not done then, and the report says so. */
function giveUp(kind: JobKind, part: PlannedPart): JobPolicy['notStarted'] {
  return async (work, why) => {
    const { context, record } = work;
    const failed = why.is === 'failed' ? runErrorOf(why.error).message : 'it was closed';
    context.log.log('warn', `the ${kind} job was given up: ${'reason' in why ? why.reason : failed}`);
    // A create may have been sent whose fate nobody knows: then its lines may have been applied.
    const doubt = part === 'secondJob' && !(await isRetryUnsent(work)) ? { mayHaveRun: true } : {};
    await changeWaves(context, record, (state) => {
      const due = state[part];
      return due?.state === 'due' ? { ...state, [part]: { ...due, state: 'givenUp', ...doubt } } : undefined;
    });
    await doneWaiting(context, record.runId);
    return true;
  };
}

async function endRun(work: PlannedJob, why: NotStarted): Promise<boolean> {
  const { context, record, check } = work;
  if (why.is === 'closed') {
    // An attempt before this one gave up, and died before it could say so.
    await endWithoutJob(context, record.runId, { state: 'failed', error: runError('startGivenUp'), check });
    return true;
  }
  if (why.is !== 'failed') return endInDoubt(work);
  const state = why.error instanceof DropChanged ? 'refused' : 'failed';
  return endWithoutImport(context, work, { state, error: runErrorOf(why.error) });
}

/** The run was cancelled after a create was sent, or may have been; no job of it has come to light so far. */
async function endInDoubt(work: PlannedJob): Promise<boolean> {
  const { context, record } = work;
  const { intent } = (await readJobState(context, record, IMPORT_JOB_BLOB)) ?? {};
  if (intent !== undefined && context.now().getTime() - Date.parse(intent.at) < FIND_MS) {
    const reason = 'the run was cancelled; looking for an import that it may have started';
    await waitingFor(context, record.runId, { kind: 'busy', reason, phase: PHASE_OF.import });
    return false;
  }
  return endWithoutImport(context, work, { state: 'cancelled', error: runError('cancelled:inDoubt') });
}
