/** Verification, as a step of what follows an import job: which lines are in doubt, and how the registry is read. */

import { MODE_RULES } from '../../devicesFile/importMode.ts';
import { isOver } from '../../hubJobs/hubJob.ts';
import { HubError } from '../../registry/index.ts';
import { adoptExport } from '../../registryLines/adoptExport.ts';
import { openSnapshot, type Snapshot } from '../../registryLines/snapshot.ts';
import { snapshotPlace, stagingOf } from '../../runs/runContainer.ts';
import { readJson } from '../../storage/jsonBlob.ts';
import { type Aftermath, enter, evidenceAfterJobs, type FollowUp, lineOf, sentLines } from '../again/aftermath.ts';
import type { SentLine } from '../again/unfilledLines.ts';
import { afterCalls, readWaveOutcomes } from '../again/waveOutcomes.ts';
import {
  CALL_OVER_MS,
  type ChunkState,
  changeWaves,
  chunkBlobs,
  MOST_EXPORT_TRIES,
  type Verification,
  type WaveLine,
} from '../again/waves.ts';
import { mayBeCalled } from '../evidence/jobFacts.ts';
import { endsVerifying, retryMsOf, withJob } from '../run/provisionRun.ts';
import { asksForNewKeys, withKeysBefore } from './newKeys.ts';
import { planVerification, readForVerification, verifyExport, verifyLines } from './verification.ts';

/** A hub shows a new identity a few seconds after it has answered that it is there. */
const SETTLE_MS = 5_000;
/** How long verification is tried at least, whatever `retryMinutes` says. */
const LEAST_VERIFY_MS = 10 * 60_000;

/** The next step of verification; undefined when nothing is in doubt any more, or no more can be found out. */
export async function nextVerification(work: Aftermath): Promise<FollowUp | undefined> {
  const { context, record, state } = work;
  let { verification } = state;
  if (verification === undefined) {
    // The call of an attempt that nobody hears of any more may still change something.
    const underWayMs = await callsUnderWayMs(work);
    if (underWayMs > 0) return { do: 'wait', seconds: Math.ceil(underWayMs / 1000) };
    const planned = await planVerification(context, record, linesInDoubt(work));
    const next = await changeWaves(context, record, (current) =>
      current.verification === undefined
        ? { ...current, verification: { ...planned, plannedAt: context.now().toISOString() } }
        : undefined,
    );
    verification = next.verification ?? planned;
  }
  if (verification.state !== 'due') return undefined;
  await enter(work, 'verify');
  const waitedMs = context.now().getTime() - Date.parse(verification.plannedAt ?? context.now().toISOString());
  if (waitedMs < SETTLE_MS) return { do: 'wait', seconds: Math.ceil((SETTLE_MS - waitedMs) / 1000) };
  try {
    return verification.way === 'single' ? await readSingly(work, verification) : await readExport(work, verification);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    if (error.retryable && waitedMs < Math.max(LEAST_VERIFY_MS, retryMsOf(record))) return { do: 'wait', seconds: 10 };
    context.log.log('warn', `lines stay unconfirmed: ${error.message}`);
    await note(work, { state: 'givenUp' });
    return undefined;
  }
}

/** How long a call of a wave may still be under way, ms. */
async function callsUnderWayMs({ context, record, state }: Aftermath): Promise<number> {
  // Calls that were noted in what is lost.
  let lastSent = record.stagingLost?.isSent === true ? Date.parse(record.stagingLost.at) : 0;
  for (const wave of state.waves) {
    for (let chunk = 0; chunk < wave.chunks; chunk++) {
      const { sentAt } = (await readJson<ChunkState>(chunkBlobs(context, record, wave, chunk).state))?.value ?? {};
      if (sentAt !== undefined) lastSent = Math.max(lastSent, Date.parse(sentAt));
    }
  }
  return lastSent + CALL_OVER_MS - context.now().getTime();
}

async function readSingly(work: Aftermath, verification: Verification): Promise<FollowUp | undefined> {
  const snapshot = await readForVerification(work.context, work.record, verification);
  if (snapshot === 'again') return { do: 'wait', seconds: 1 };
  if (snapshot === 'export') {
    await note(work, { way: 'export' });
    return { do: 'job', kind: 'verify' };
  }
  return compare(work, verification, snapshot);
}

async function readExport(work: Aftermath, verification: Verification): Promise<FollowUp | undefined> {
  const { context, record } = work;
  const job = record.jobs.verify;
  if (job === undefined || !(await isOver(context, record, job))) return { do: 'job', kind: 'verify' };
  const snapshot = await adoptExport(snapshotPlace(context, record), verifyExport(verification), job);
  if ('fault' in snapshot) {
    context.log.log('warn', `the export of the registry ${snapshot.why}`);
    const exportTry = verification.exportTry ?? 1;
    if (exportTry === MOST_EXPORT_TRIES || endsVerifying(record)) {
      await note(work, { state: 'givenUp' });
      return undefined;
    }
    // In this order: a step that dies in between finds the job of this try again, and does not take it for the next one's.
    await context.runs.update(record.runId, (current) =>
      current.jobs.verify?.jobId === job.jobId ? withJob(current, 'verify', undefined) : undefined,
    );
    await changeWaves(context, record, ({ verification: current, ...rest }) =>
      current?.state === 'due' && (current.exportTry ?? 1) === exportTry
        ? { ...rest, verification: { ...current, exportTry: exportTry + 1 } }
        : undefined,
    );
    return { do: 'wait', seconds: 5 };
  }
  return compare(work, verification, snapshot);
}

async function compare(work: Aftermath, verification: Verification, snapshot: Snapshot): Promise<undefined> {
  const foundBlobName = await verifyLines(work.context, work.record, verification, snapshot);
  await note(work, { state: 'ended', foundBlobName });
}

async function note({ context, record }: Aftermath, change: Partial<Verification>): Promise<void> {
  await changeWaves(context, record, ({ verification, ...rest }) =>
    verification?.state === 'due' ? { ...rest, verification: { ...verification, ...change } } : undefined,
  );
}

/** Lines whose fate only the registry can tell. */
async function* linesInDoubt(work: Aftermath): AsyncGenerator<string> {
  const { context, record, state } = work;
  const tried = await readWaveOutcomes(context, record, state.waves);
  const lines = async function* (newKeys: boolean) {
    for await (const sent of sentLines(work)) {
      const last = tried.find(sent.line);
      if (afterCalls(evidenceAfterJobs(work, sent), last).applied !== 'maybe') continue;
      const line = lineToVerify(sent, last !== undefined || mayBeCalled(lineOf(sent), work.facts));
      if (asksForNewKeys(line, record.options) === newKeys) yield JSON.stringify(line);
    }
  };
  yield* lines(false);
  if (record.options?.missingKeys !== 'regenerate') return;
  const { preImage } = record;
  const source = preImage && openSnapshot(stagingOf(context, record.runId), preImage);
  for await (const line of withKeysBefore(lines(true), source)) yield JSON.stringify(line);
}

/**
 * A line as the registry is compared with it.
 *
 * @param wasCalled whether it was sent again by a call, or may have been
 */
export function lineToVerify(
  { text, line, asked, mode }: Pick<SentLine, 'text' | 'line' | 'asked' | 'mode'>,
  wasCalled: boolean,
): WaveLine {
  if (text === asked) return line;
  const wanted = JSON.parse(asked) as WaveLine;
  // Patched, it was merged into the twin as it was then.
  const { patches, writesIdentity } = MODE_RULES[mode];
  if (patches) return wasCalled ? wanted : line;
  if (!writesIdentity) return line;
  // One whose ETag was stale was sent without its twin, and asks for it all the same.
  return { ...line, tags: wanted['tags'], properties: wanted['properties'] };
}
