/** The second import job of a run: for very many lines that failed transiently. */

import { randomBytes } from 'node:crypto';
import { ERROR_LOG_BLOB, FIRST_ERROR_LOG_BLOB } from '../../hubJobs/errorLog.ts';
import { isOver } from '../../hubJobs/hubJob.ts';
import { paceOfRun } from '../../runs/paceOfRun.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { hubOf } from '../../runs/runRecord.ts';
import { propertiesIfThere } from '../../storage/blobProperties.ts';
import { linesOf, writeLines } from '../../storage/ndjson.ts';
import { isConditionFailed } from '../../storage/storageErrors.ts';
import { measure } from '../../telemetry/telemetry.ts';
import { hasTransient } from '../evidence/jobFacts.ts';
import { type Aftermath, evidenceAfterJobs, type FollowUp, sentLines } from './aftermath.ts';
import { againText } from './sentAgain.ts';
import { changeWaves, readWaves } from './waves.ts';

/** Lines that would keep the budget busy for longer go once more by a job first. */
const LONGEST_BY_CALLS_MINUTES = 15;

/** Very many lines that failed transiently: the hub's own job is faster than calls within the throttle. */
export async function planSecondJob(work: Aftermath): Promise<FollowUp | undefined> {
  const { context, record, state, facts } = work;
  if (state.secondJob !== undefined || state.waves.length > 0 || !hasTransient(facts)) return undefined;
  const { itemsPerMinute } = paceOfRun(context, record);
  const blobName = `retry-${randomBytes(4).toString('hex')}.txt`;
  const lines = await writeTransient(work, blobName);
  if (lines <= itemsPerMinute * LONGEST_BY_CALLS_MINUTES) return undefined;
  await putLogAside(work);
  await changeWaves(context, record, (current) =>
    current.secondJob === undefined ? { ...current, secondJob: { blobName, lines, state: 'due' } } : undefined,
  );
  measure('hubkeeper.retries', lines, { hub: hubOf(record), reason: 'transient' });
  return { do: 'job', kind: 'retry' };
}

/** The second job, until it has ended; whether it may still be started, its start decides. */
export async function dueSecondJob({ context, record, state }: Aftermath): Promise<FollowUp | undefined> {
  if (state.secondJob?.state !== 'due') return undefined;
  const job = record.jobs.retry;
  if (job === undefined || !(await isOver(context, record, job))) return { do: 'job', kind: 'retry' };
  await changeWaves(context, record, (current) =>
    current.secondJob?.state === 'due'
      ? { ...current, secondJob: { ...current.secondJob, state: 'ended' } }
      : undefined,
  );
  // What the second job says is read with the facts.
  return { do: 'wait', seconds: 1 };
}

/** Writes the lines that failed transiently as the input of a second job; returns how many there are. */
function writeTransient(work: Aftermath, blobName: string): Promise<number> {
  const lines = async function* () {
    for await (const sent of sentLines(work)) {
      if (evidenceAfterJobs(work, sent).open === 'transient') yield againText(sent.text, sent.guard);
    }
  };
  return writeLines(stagingOf(work.context, work.record.runId).getBlockBlobClient(blobName), lines());
}

/** The hub gives its log a fixed name: the first one is kept, and then removed, so that what is there is the second's. */
async function putLogAside({ context, record }: Aftermath): Promise<void> {
  const staging = stagingOf(context, record.runId);
  const aside = staging.getBlockBlobClient(FIRST_ERROR_LOG_BLOB);
  const log = staging.getBlockBlobClient(ERROR_LOG_BLOB);
  const etag = (await propertiesIfThere(log))?.etag;
  // Nothing but the first job has written by then what was just looked at; an attempt that comes late finds it changed.
  if (etag === undefined || (await readWaves(context, record))?.secondJob !== undefined) return;
  if (!(await aside.exists())) await writeLines(aside, linesOf(log));
  try {
    await log.deleteIfExists({ conditions: { ifMatch: etag } });
  } catch (error) {
    if (!isConditionFailed(error)) throw error;
  }
}
