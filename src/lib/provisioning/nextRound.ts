import { randomBytes } from 'node:crypto';
import type { BlockBlobClient } from '@azure/storage-blob';
import { parseImportMode } from '../devicesFile/importMode.ts';
import { explainHubError, HubError } from '../registry/index.ts';
import { createBlockWriter } from '../storage/blockWriter.ts';
import { readLineBatches } from '../storage/readLines.ts';
import { isConditionFailed } from '../storage/storageErrors.ts';
import type { ProvisioningContext } from './context.ts';
import { isOver } from './hubJob.ts';
import { paceOf } from './hubPace.ts';
import { inputOf } from './jobSteps.ts';
import { asksForNewKeys, withKeysBefore } from './newKeys.ts';
import { nextParents } from './parents.ts';
import { type RoundOutcomes, readRoundOutcomes } from './roundOutcomes.ts';
import {
  changeRounds,
  MOST_EXPORT_TRIES,
  openRounds,
  type Round,
  type RoundLine,
  type RoundsState,
  readRoundResults,
  readRounds,
  type Verification,
  writeRound,
} from './rounds.ts';
import { isFinal, type RunPhase, type RunRecord } from './runRecord.ts';
import { againText, type Guard, withGuards } from './sentAgain.ts';
import { settleConfigurations } from './settleConfigurations.ts';
import { type CheckResult, checkBlobs, checkOf, ERROR_LOG_BLOB, FIRST_ERROR_LOG_BLOB, stagingOf } from './staging.ts';
import {
  type Facts,
  isFinalWord,
  type LineOf,
  mayBeApplied,
  readFacts,
  type Standing,
  saysNotThere,
  standingOf,
  WITHOUT_TWIN,
} from './standing.ts';
import { mayPass, planVerification, verifyBlobName, verifyByExport, verifySingly } from './verification.ts';
import { hubSizeOf } from './workChunk.ts';

const MINUTE_MS = 60_000;
/** Lines that would keep the budget busy for longer go once more by a job first. */
const LONGEST_BY_CALLS_MINUTES = 15;
/** A hub shows a new identity a few seconds after it has answered that it is there. */
const SETTLE_MS = 5_000;
/** How long reading back is tried at least, whatever `retryMinutes` says. */
const LEAST_VERIFY_MS = 10 * MINUTE_MS;
/** What is granted at once: calls of at most half a minute, so that the activity that sends them ends in time. */
const MOST_CALLS_A_GRANT = 5;
const GRANT_MINUTES = 0.5;

export type NextRound =
  | { readonly do: 'ended' | 'notEnded' | 'settle' }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'job'; readonly kind: 'retry' | 'verify' | 'parents' }
  | {
      readonly do: 'work';
      readonly round: string;
      readonly chunks: number;
      readonly width: number;
      readonly grant: number;
      readonly itemsPerMinute: number;
    };

/**
 * What is to be done next after the import job of a run has ended: a second job, lines to be sent once more, lines to be
 * read back, or the report. All that is known lies in staging (`rounds.json`), so that it may be asked again at any time.
 *
 * @param input `finished`: the round whose lanes have come to their end
 */
export async function nextRound(
  context: ProvisioningContext,
  input: { readonly runId: string; readonly finished?: string },
): Promise<NextRound> {
  const { runId, finished } = input;
  const record = await context.runs.read(runId);
  if (record === undefined) throw new Error(`The record of run ${runId} is gone.`);
  if (isFinal(record.state)) return { do: 'ended' };
  if (record.job === undefined) throw new Error(`The run ${runId} has no job.`);
  // Whoever watched the job may have been lost: nothing is judged while it can still change anything.
  if (!(await isOver(context, record, record.job))) return { do: 'notEnded' };
  // Before any other job: a second import replaces the log of configurations, too.
  await settleConfigurations(context, record);

  const facts = await readFacts(context, record, (await readRounds(context, record))?.value);
  const check = await checkOf(context, runId);
  if (check === undefined) throw new Error(`The run ${runId} has not been checked.`);
  if (isFinalWord(facts) && check.parents === 0) return { do: 'settle' };
  const retryMs = (record.options?.retryMinutes ?? 0) * MINUTE_MS;
  let state = await openRounds(context, record, new Date(context.now().getTime() + retryMs).toISOString());
  if (finished !== undefined) state = await markFinished(context, record, finished);
  const work = { context, record, check, state, facts };

  // A second job that was begun has its say, however long it takes and whoever cancels the run.
  const due = await dueSecondJob(work);
  if (due !== undefined) return due;
  if (!isFinalWord(facts) && mayRetry(context, record, state)) {
    const next = (await planSecondJob(work)) ?? (await roundOfCalls(work));
    if (next !== undefined) return next;
  }
  if (!isFinalWord(facts)) {
    const next = await verify({ ...work, state: (await readRounds(context, record))?.value ?? state });
    if (next !== undefined) return next;
  }
  return (await linkParents(work)) ?? { do: 'settle' };
}

/** Devices are linked to their parents when it is known which of them are there. */
async function linkParents(work: Work): Promise<NextRound | undefined> {
  const { context, record, check } = work;
  const step = await nextParents(context, record, check);
  if (step === undefined) return undefined;
  await enter(work, 'parents');
  if (step.do === 'wait') return step;
  if (step.do === 'job') return { do: 'job', kind: 'parents' };
  return workOn(work, step.round);
}

interface Work {
  readonly context: ProvisioningContext;
  readonly record: RunRecord;
  readonly check: CheckResult;
  readonly state: RoundsState;
  readonly facts: Facts;
}

function mayRetry(
  context: ProvisioningContext,
  record: RunRecord,
  { retryUntil }: RoundsState,
  until = retryUntil,
): boolean {
  return record.cancelRequestedAt === undefined && context.now().getTime() < Date.parse(until);
}

/**
 * The lanes of a round come to their end when nothing is left for them, or when something went wrong: what they left
 * then is worked on again, as long as there is time for it.
 */
async function markFinished(context: ProvisioningContext, record: RunRecord, name: string): Promise<RoundsState> {
  const before = (await readRounds(context, record))?.value;
  const round = before?.rounds.find((candidate) => candidate.name === name);
  const isOpen = before !== undefined && round !== undefined && mayRetry(context, record, before, round.until);
  if (isOpen && round.singly === undefined) {
    for await (const { state } of readRoundResults(context, record, round)) {
      if (state.is === 'pending' || state.is === 'sent') return before;
    }
  }
  return changeRounds(context, record, (state) => ({
    ...state,
    rounds: state.rounds.map((round) =>
      round.name === name && round.finishedAt === undefined
        ? { ...round, finishedAt: context.now().toISOString() }
        : round,
    ),
  }));
}

async function enter(work: Work, phase: RunPhase): Promise<void> {
  if (work.record.phase === phase) return;
  await work.context.runs.update(work.record.runId, (current) => ({ ...current, phase }));
}

interface SentLine {
  readonly text: string;
  readonly line: RoundLine;
  readonly guard?: Guard | undefined;
}

/** The lines that were given to the hub, as they were given. */
async function* sentLines({ context, record, check }: Work): AsyncGenerator<SentLine> {
  const staging = stagingOf(context, record.runId);
  const { devices: unfilled, missing } = checkBlobs(staging, check.attempt);
  const blob = staging.getBlockBlobClient(await inputOf(context, record, check));
  const sent = eachLine(blob);
  if (blob.name === unfilled.name) {
    for await (const text of sent) yield { text, line: JSON.parse(text) as RoundLine };
    return;
  }
  for await (const { text, guard } of withGuards(sent, { unfilled, missing })) {
    yield { text, line: JSON.parse(text) as RoundLine, guard };
  }
}

async function* eachLine(blob: BlockBlobClient): AsyncGenerator<string> {
  for await (const batch of readLineBatches(blob)) yield* batch;
}

function standing(work: Work, line: RoundLine): Standing {
  return standingOf(lineOf(line), work.facts);
}

function lineOf(line: RoundLine): LineOf {
  return { ...line, mode: parseImportMode(line.importMode ?? '') ?? 'createOrUpdate' };
}

// Once more by a job -----------------------------------------------------------------------------------------------------

/** Very many lines that failed for a passing reason: the hub's own job is faster than calls within the throttle. */
async function planSecondJob(work: Work): Promise<NextRound | undefined> {
  const { context, record, state } = work;
  if (state.secondJob !== undefined || state.rounds.length > 0) return undefined;
  const { itemsPerMinute } = paceOf(hubSizeOf(context, record));
  const blobName = `retry-${randomBytes(4).toString('hex')}.txt`;
  const lines = await writeTransient(work, blobName);
  if (lines <= itemsPerMinute * LONGEST_BY_CALLS_MINUTES) return undefined;
  await putLogAside(work);
  await changeRounds(context, record, (current) =>
    current.secondJob === undefined ? { ...current, secondJob: { blobName, lines, state: 'due' } } : undefined,
  );
  return { do: 'job', kind: 'retry' };
}

/** The second job, until it has ended; whether it may still be started, its start decides. */
async function dueSecondJob({ context, record, state }: Work): Promise<NextRound | undefined> {
  if (state.secondJob?.state !== 'due') return undefined;
  const job = record.retryJob;
  if (job === undefined || !(await isOver(context, record, job))) return { do: 'job', kind: 'retry' };
  await changeRounds(context, record, (current) =>
    current.secondJob?.state === 'due'
      ? { ...current, secondJob: { ...current.secondJob, state: 'ended' } }
      : undefined,
  );
  // What the second job says is read with the facts.
  return { do: 'wait', seconds: 1 };
}

/** Writes the lines that failed for a passing reason as the input of a second job; returns how many there are. */
async function writeTransient(work: Work, blobName: string): Promise<number> {
  const writer = createBlockWriter(stagingOf(work.context, work.record.runId).getBlockBlobClient(blobName));
  let lines = 0;
  for await (const { text, line, guard } of sentLines(work)) {
    if (standing(work, line).is !== 'transient') continue;
    writer.writeLine(0, againText(text, guard));
    await writer.drain();
    lines += 1;
  }
  await writer.commit('application/x-ndjson; charset=utf-8');
  return lines;
}

/** The hub gives its log a fixed name: the first one is kept, and then removed, so that what is there is the second's. */
async function putLogAside({ context, record }: Work): Promise<void> {
  const staging = stagingOf(context, record.runId);
  const aside = staging.getBlockBlobClient(FIRST_ERROR_LOG_BLOB);
  const log = staging.getBlockBlobClient(ERROR_LOG_BLOB);
  const etag = (await log.exists()) ? (await log.getProperties()).etag : undefined;
  // Nothing but the first job has written by then what was just looked at; an attempt that comes late finds it changed.
  if (etag === undefined || (await readRounds(context, record))?.value.secondJob !== undefined) return;
  if (!(await aside.exists())) {
    const writer = createBlockWriter(aside);
    for await (const batch of readLineBatches(log)) {
      for (const line of batch) writer.writeLine(0, line);
      await writer.drain();
    }
    await writer.commit('application/x-ndjson; charset=utf-8');
  }
  try {
    await log.deleteIfExists({ conditions: { ifMatch: etag } });
  } catch (error) {
    if (!isConditionFailed(error)) throw error;
  }
}

// Once more by calls -----------------------------------------------------------------------------------------------------

interface CallRound extends Pick<Round, 'name' | 'singly' | 'twinOnly'> {
  wants(line: RoundLine, standing: Standing, earlier: RoundOutcomes): boolean;
}

/** Modules after all devices, for they need them; what met a full hub one by one, after all else. */
const CALL_ROUNDS: readonly CallRound[] = [
  { name: 'devices', wants: (line, { is }) => !isModule(line) && is === 'transient' },
  { name: 'modules', wants: (line, { is }) => isModule(line) && is === 'transient' },
  {
    name: 'twins',
    twinOnly: true,
    wants: (_line, at) => at.is === 'warned' && explainHubError(at.code).name === WITHOUT_TWIN,
  },
  { name: 'full-devices', singly: true, wants: (line, at, earlier) => !isModule(line) && meetsFull(line, at, earlier) },
  { name: 'full-modules', singly: true, wants: (line, at, earlier) => isModule(line) && meetsFull(line, at, earlier) },
];

function isModule(line: RoundLine): boolean {
  return line.moduleId !== undefined;
}

function meetsFull(line: RoundLine, { is }: Standing, earlier: RoundOutcomes): boolean {
  const state = earlier.find(line);
  if (state === undefined) return is === 'quota';
  if (state.is === 'quota') return true;
  // A module whose device has found its place only now.
  const isRefused = state.is === 'failed' || state.is === 'doubtful';
  if (!isModule(line) || !isRefused || !saysNotThere(state.code ?? '')) return false;
  return earlier.find({ id: line.id })?.is === 'succeeded';
}

async function roundOfCalls(work: Work): Promise<NextRound | undefined> {
  const { context, record } = work;
  for (const plan of CALL_ROUNDS) {
    const known = (await readRounds(context, record))?.value.rounds.find(({ name }) => name === plan.name);
    const round = known ?? (await planRound(work, plan));
    if (round.lines === 0 || round.finishedAt !== undefined) continue;
    await enter(work, 'retry');
    await context.runs.update(record.runId, (current) => {
      const { waiting: _waiting, ...rest } = current;
      const left = current.retry?.round === round.name ? current.retry.left : round.lines;
      return { ...rest, retry: { round: round.name, lines: round.lines, left } };
    });
    return workOn(work, round);
  }
  return undefined;
}

async function planRound(work: Work, plan: CallRound): Promise<Round> {
  const { context, record } = work;
  const earlier = await readRoundOutcomes(context, record, (await readRounds(context, record))?.value.rounds ?? []);
  const lines = async function* () {
    for await (const { text, line, guard } of sentLines(work)) {
      if (plan.wants(line, standing(work, line), earlier)) yield againText(text, guard);
    }
  };
  const { wants: _wants, ...properties } = plan;
  return writeRound(context, record, { ...properties, lines: lines() });
}

function workOn({ context, record }: Work, round: Round): NextRound {
  const { itemsPerMinute, callItems, width } = paceOf(hubSizeOf(context, record));
  return {
    do: 'work',
    round: round.name,
    chunks: round.chunks,
    // One by one means one at a time: only so is it known when the hub is full.
    width: round.singly === undefined ? width : 1,
    grant:
      callItems * Math.max(1, Math.min(MOST_CALLS_A_GRANT, Math.floor((itemsPerMinute * GRANT_MINUTES) / callItems))),
    itemsPerMinute,
  };
}

// Read back --------------------------------------------------------------------------------------------------------------

async function verify(work: Work): Promise<NextRound | undefined> {
  const { context, record, state } = work;
  let { verification } = state;
  if (verification === undefined) {
    const planned = await planVerification(context, record, linesInDoubt(work));
    const next = await changeRounds(context, record, (current) =>
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
    const retryMs = (record.options?.retryMinutes ?? 0) * MINUTE_MS;
    if (mayPass(error) && waitedMs < Math.max(LEAST_VERIFY_MS, retryMs)) return { do: 'wait', seconds: 10 };
    context.log.log('warn', `lines stay unconfirmed: ${error.message}`);
    await note(work, { state: 'givenUp' });
    return undefined;
  }
}

async function readSingly(work: Work, verification: Verification): Promise<NextRound | undefined> {
  const result = await verifySingly(work.context, work.record, verification);
  if (result.next === 'again') return { do: 'wait', seconds: 1 };
  if (result.next === 'export') {
    await note(work, { way: 'export' });
    return { do: 'job', kind: 'verify' };
  }
  await note(work, { state: 'ended', foundBlobName: result.foundBlobName });
  return undefined;
}

async function readExport(work: Work, verification: Verification): Promise<NextRound | undefined> {
  const { context, record } = work;
  const job = record.verifyJob;
  if (job === undefined || !(await isOver(context, record, job))) return { do: 'job', kind: 'verify' };
  const exported = stagingOf(context, record.runId).getBlockBlobClient(verifyBlobName(verification));
  if (job.status.toLowerCase() !== 'completed' || !(await exported.exists())) {
    context.log.log('warn', `the export of the registry ended as "${job.status}"`);
    const exportTry = verification.exportTry ?? 1;
    if (exportTry === MOST_EXPORT_TRIES) {
      await note(work, { state: 'givenUp' });
      return undefined;
    }
    // In this order: a step that dies in between finds the job of this try again, and does not take it for the next one's.
    await context.runs.update(record.runId, ({ verifyJob, ...rest }) =>
      verifyJob?.jobId === job.jobId ? rest : undefined,
    );
    await changeRounds(context, record, ({ verification: current, ...rest }) =>
      current?.state === 'due' && (current.exportTry ?? 1) === exportTry
        ? { ...rest, verification: { ...current, exportTry: exportTry + 1 } }
        : undefined,
    );
    return { do: 'wait', seconds: 5 };
  }
  await note(work, { state: 'ended', foundBlobName: await verifyByExport(context, record, verification) });
  return undefined;
}

async function note({ context, record }: Work, change: Partial<Verification>): Promise<void> {
  await changeRounds(context, record, ({ verification, ...rest }) =>
    verification?.state === 'due' ? { ...rest, verification: { ...verification, ...change } } : undefined,
  );
}

/** Lines whose fate only the registry can tell. */
async function* linesInDoubt(work: Work): AsyncGenerator<string> {
  const { context, record, state } = work;
  const tried = await readRoundOutcomes(context, record, state.rounds);
  const lines = async function* (newKeys: boolean) {
    for await (const { line } of sentLines(work)) {
      const last = tried.find(line);
      // What was never answered for good may have been applied by any of its tries.
      const isOpen = last === undefined || last.is === 'pending';
      if (last?.isInDoubt !== true && !(isOpen && mayBeApplied(lineOf(line), work.facts))) continue;
      if (asksForNewKeys(line, record.options) === newKeys) yield line;
    }
  };
  for await (const line of lines(false)) yield JSON.stringify(line);
  if (record.options?.missingKeys !== 'regenerate') return;
  const { preImage } = record;
  const source = preImage && stagingOf(context, record.runId).getBlockBlobClient(preImage.blobName);
  for await (const line of withKeysBefore(lines(true), source)) yield JSON.stringify(line);
}
