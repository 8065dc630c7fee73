/**
 * An import that was sent, or may have been, by a run that has lost what it had noted of it: its record alone tells that a
 * create was about to be sent. It is looked for, and never sent again; the registry decides about its lines.
 */

import { UNKNOWN_JOB } from '../../hubJobs/hubJob.ts';
import { readJobState } from '../../hubJobs/jobState.ts';
import { isTerminalStatus } from '../../hubJobs/jobStatus.ts';
import { jobDeadlineMs } from '../../hubJobs/startHubJob.ts';
import { HubError, type ImportExportJob } from '../../registry/index.ts';
import { runErrorOf } from '../../runs/endRun.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { hubOf } from '../../runs/runRecord.ts';
import { waitingFor } from '../../runs/waiting.ts';
import { FIND_MS } from '../job/jobPolicies.ts';
import { IMPORT_JOB_BLOB } from '../run/jobBlobs.ts';
import { noteJob } from '../run/jobNotes.ts';
import { type ProvisioningContext, type ProvisionRun, retryMsOf } from '../run/provisionRun.ts';

/** How far the clocks of a hub and of the app may be apart. */
const SKEW_MS = 5 * 60_000;

/**
 * Finds the import of such a run, or notes that it is not known: then what the hub did not show by now will not come.
 */
export async function findLostImport(
  context: ProvisioningContext,
  record: ProvisionRun,
): Promise<{ readonly status: 'started' } | { readonly status: 'wait'; readonly seconds: number }> {
  const { runId } = record;
  const sentAt = record.importSentAt ?? record.stagingLost?.at ?? record.createdAt;
  const lines = record.check === undefined ? 0 : record.check.devices + record.check.modules;
  const deadline = new Date(Date.parse(sentAt) + jobDeadlineMs(lines)).toISOString();
  const keep = async (jobId: string, isOurs: boolean) => {
    const doubts = isOurs ? {} : ({ ambiguous: true, mayBeForeign: true } as const);
    await noteJob(context, runId, 'import', { jobId, createdAt: sentAt, deadline, ...doubts });
    return { status: 'started' } as const;
  };
  const noted = (await readJobState(context, record, IMPORT_JOB_BLOB))?.job;
  if (noted !== undefined) {
    await noteJob(context, runId, 'import', noted);
    return { status: 'started' };
  }
  const now = context.now().getTime();
  const seekUntil = Date.parse(sentAt) + FIND_MS;
  let jobs: readonly ImportExportJob[];
  try {
    jobs = await context.hub(hubOf(record)).listJobs();
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    const isGivenUp = !error.retryable || now > Date.parse(sentAt) + retryMsOf(record);
    if (now > seekUntil && isGivenUp) return keep(UNKNOWN_JOB, false);
    await waitingFor(context, runId, { kind: 'trouble', reason: runErrorOf(error).message, phase: 'job' });
    return { status: 'wait', seconds: 5 };
  }
  const imports = jobs.filter((job) => job.type.toLowerCase() === 'import' && isSince(job, sentAt));
  const container = stagingOf(context, runId).containerName;
  const ours = imports.find(({ inputBlobContainerUri }) => inputBlobContainerUri?.endsWith(`/${container}`));
  if (ours !== undefined) return keep(ours.jobId, true);
  const silent = imports.filter(({ inputBlobContainerUri }) => !inputBlobContainerUri);
  const running = silent.find(({ status }) => !isTerminalStatus(status));
  if (running !== undefined && now > Date.parse(deadline)) return keep(running.jobId, false);
  if (running !== undefined || now < seekUntil) {
    const reason = 'looking for an import that this run may have started';
    await waitingFor(context, runId, { kind: 'busy', reason, phase: 'job' });
    return { status: 'wait', seconds: running === undefined ? 5 : 10 };
  }
  const [only, ...others] = silent;
  return keep(only !== undefined && others.length === 0 ? only.jobId : UNKNOWN_JOB, false);
}

function isSince({ startTimeUtc }: ImportExportJob, at: string): boolean {
  return startTimeUtc === undefined || !(Date.parse(startTimeUtc) < Date.parse(at) - SKEW_MS);
}
