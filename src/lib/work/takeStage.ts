/** One activity of work: reads whether the run is cancelled or suspended, has its stage done, and says what is next. */

import { HubKeeperError } from '../errors.ts';
import type { RunInstances } from '../hubJobs/askAgain.ts';
import { askAgain } from '../hubJobs/askAgain.ts';
import { redact } from '../redact.ts';
import { HubError } from '../registry/index.ts';
import { cancelAppliedRun } from '../runs/appliedRun.ts';
import { finishRun, runErrorOf } from '../runs/endRun.ts';
import { type Fault, orFault } from '../runs/faults.ts';
import { isFinal, isSuspended } from '../runs/runRecord.ts';
import type { AskInput, AskReply, CallStep, Step } from '../runs/step.ts';
import { takeChain } from '../runs/stepChain.ts';
import { aheadText, doneWaiting, noteTurnPosition, waitedMs, waitingFor } from '../runs/waiting.ts';
import { span } from '../telemetry/telemetry.ts';
import { suspendedDelaySeconds } from '../turns/delays.ts';
import { ServiceTrouble } from './serviceTrouble.ts';
import type { KindOfWork, Stage, StageInput, StageReply } from './stage.ts';
import { workError } from './workErrors.ts';
import { isApplying } from './workNotes.ts';
import type { WorkContext, WorkKind, WorkRun } from './workRun.ts';
import { APPLY_STAGE, BEGIN, WORK_STAGE, WORK_TURN } from './workSteps.ts';

/** The stages of each kind; of one that is done in several ways, by what was asked for. */
export type KindsOfWork = Readonly<Partial<Record<WorkKind, KindOfWork | ((record: WorkRun) => KindOfWork)>>>;

const HOUR_MS = 60 * 60_000;
/** Trouble of the hub is waited out for this long. */
const LONGEST_TROUBLE_MS = HOUR_MS;
const TROUBLE_SECONDS = 10;

const ENDED: Step = { do: 'ended', state: 'ended' };

/** Takes a stage, and those that follow at once. */
export function takeStages(context: WorkContext, kinds: KindsOfWork, input: StageInput): Promise<AskReply | Fault> {
  const take = (next: StageInput) =>
    orFault(() => span(`step ${next.stage}`, {}, () => takeStage(context, kinds, next)));
  return takeChain(
    context,
    () => take(input),
    ({ input: next }) => take(next as unknown as StageInput),
  );
}

async function takeStage(context: WorkContext, kinds: KindsOfWork, input: StageInput): Promise<Step> {
  const record = await openWork(context, input.runId);
  if (record === undefined) return ENDED;
  const found = kinds[record.kind];
  const kind = typeof found === 'function' ? found(record) : found;
  if (kind === undefined) throw new TypeError(`There are no stages for ${record.kind}.`);
  if (input.stage === BEGIN) return begin(context, record, kind, input);
  const stage = stageOf(kind, input.stage);
  if (isSuspended(record) && stage.whileSuspended !== true) return suspended(context, record, input);
  if (input.wasSuspended) {
    const { wasSuspended: _was, ...rest } = input;
    return enter(kind, rest);
  }
  if (record.cancelRequestedAt !== undefined && stage.whenCancelled !== true) {
    // The run that applies its lines is cancelled with it, also by a run that was started anew, from its beginning.
    if (isApplying(record) && kind.stages[APPLY_STAGE] !== undefined) {
      return enter(kind, { runId: input.runId, attempt: input.attempt, stage: APPLY_STAGE });
    }
    return end(context, record, { end: 'cancelled', error: workError('cancelled') });
  }
  const reply = await orTrouble(context, record, input, stage);
  return follow(context, record, kind, input, reply);
}

/** The record of a run that has not ended. */
async function openWork(context: WorkContext, runId: string): Promise<WorkRun | undefined> {
  const record = await context.runs.read(runId);
  if (record === undefined) throw new Error(`The record of run ${runId} is gone.`);
  return isFinal(record.state) ? undefined : record;
}

function stageOf({ stages }: KindOfWork, name: string): Stage {
  const stage = stages[name];
  if (stage === undefined) throw new TypeError(`There is no stage ${name}.`);
  return stage;
}

async function begin(context: WorkContext, record: WorkRun, kind: KindOfWork, input: StageInput): Promise<Step> {
  const { runId, hub, createdAt } = record;
  await context.runs.update(runId, (current) => ({
    ...current,
    state: 'running',
    startedAt: current.startedAt ?? context.now().toISOString(),
  }));
  const first = call({ runId, attempt: input.attempt, stage: kind.first });
  if (hub === undefined) return first;
  return { do: 'place', hub, ticket: { runId, droppedAt: createdAt, name: record.kind }, next: first };
}

/** Trouble of the hub, or of another service, is waited out; what people have to see to, and what the hub refuses for good, ends the run. */
async function orTrouble(context: WorkContext, record: WorkRun, input: StageInput, stage: Stage): Promise<StageReply> {
  try {
    const reply = await stage.work(context, record, input);
    if (record.waiting?.kind === 'trouble') await doneWaiting(context, record.runId);
    return reply;
  } catch (error) {
    if (isTransient(error) && waitedMs(context, record, ['trouble']) < LONGEST_TROUBLE_MS) {
      await waitingFor(context, record.runId, { kind: 'trouble', reason: runErrorOf(error).message });
      return { wait: TROUBLE_SECONDS, with: withoutGrant(input) };
    }
    if (!(error instanceof HubKeeperError)) throw error;
    const failure = runErrorOf(error);
    if (stage.failed === undefined) return { end: 'failed', error: failure };
    await context.runs.update(record.runId, (current) => ({ ...current, notes: { ...current.notes, failure } }));
    return { go: stage.failed };
  }
}

function isTransient(error: unknown): boolean {
  return error instanceof ServiceTrouble || (error instanceof HubError && error.retryable);
}

/** What was granted is spent, or lost. */
function withoutGrant({ granted: _granted, spreadMs: _spread, ...rest }: StageInput): StageInput {
  return rest;
}

async function follow(
  context: WorkContext,
  record: WorkRun,
  kind: KindOfWork,
  input: StageInput,
  reply: StageReply,
): Promise<Step> {
  const { runId, attempt } = input;
  if ('end' in reply) return end(context, record, reply);
  if ('take' in reply) {
    const rest = withoutGrant(input);
    const { take: items, itemsPerMinute } = reply;
    return { do: 'pace', items, itemsPerMinute, next: call(rest) };
  }
  if ('wait' in reply) {
    const next = { runId, attempt, stage: reply.go ?? input.stage, ...reply.with };
    return { do: 'wait', seconds: reply.wait, next: enter(kind, next) };
  }
  if (record.turnAskedAt === undefined && stageOf(kind, reply.go).turn === true) {
    const turnAskedAt = context.now().toISOString();
    await context.runs.update(runId, (current) => ({ turnAskedAt, ...current }));
  }
  const next = enter(kind, { runId, attempt, stage: reply.go });
  return reply.leaveTurn ? { do: 'leave', next } : next;
}

/** The step that has a stage done: it is called, once the run has its turn where it needs that. */
function enter(kind: KindOfWork, input: StageInput): Step {
  if (stageOf(kind, input.stage).turn !== true) return call(input);
  // Watching a job keeps the turn, whoever has it: the job is under way.
  if (input.since !== undefined) return { ...call(input), keepTurn: true };
  return { do: 'turn', next: call(input), ask: { activity: WORK_TURN, input: { ...input } } };
}

function call(input: StageInput): CallStep {
  return { do: 'call', activity: WORK_STAGE, input: { ...input } };
}

const SHORTEST_LOOK_SECONDS = 5;

async function suspended(
  context: WorkContext,
  record: WorkRun & { readonly suspendedAt: string },
  input: StageInput,
): Promise<Step> {
  // It waits for its turn anew, for others may have had it meanwhile.
  const next = call({ ...input, wasSuspended: true });
  return {
    do: 'suspended',
    seconds: suspendedDelaySeconds(context.now().getTime() - Date.parse(record.suspendedAt), SHORTEST_LOOK_SECONDS),
    leave: await context.isIdle(record),
    next,
  };
}

async function end(
  context: WorkContext,
  record: WorkRun,
  { end: state, error, fields = {}, unless }: Extract<StageReply, { readonly end: unknown }>,
): Promise<Step> {
  // An attempt that comes late may end nothing, and so cancels nothing.
  if (state === 'failed' && unless === undefined) await cancelAppliedRun(context, record, isApplying(record));
  await finishRun(context, record.runId, { state, error }, fields, unless);
  return { do: 'ended', state };
}

/** One look around while work waits for its turn. */
export async function askWorkTurn(
  context: WorkContext,
  input: AskInput,
  instances: () => RunInstances,
): Promise<AskReply | Fault> {
  return orFault(async () => {
    const record = await openWork(context, input.runId);
    if (record === undefined) return ENDED;
    if (record.cancelRequestedAt !== undefined) {
      return end(context, record, { end: 'cancelled', error: workError('cancelled') });
    }
    const hours = context.settings.turnTimeoutHours;
    if (waitedMs(context, record, ['turn']) > hours * HOUR_MS) {
      const key = isApplying(record) ? 'turnTimeout:applied' : 'turnTimeout';
      const error = workError(key, { hours, ahead: aheadText(input.position) });
      return end(context, record, { end: 'failed', error });
    }
    await noteTurnPosition(context, record, input.position);
    return { do: 'askAgain', ...(await askAgain(context, instances(), input)) };
  });
}

/** Ends work whose stages failed again and again. */
export async function failWork(
  context: WorkContext,
  { runId, message }: { readonly runId: string; readonly message: string },
): Promise<Step> {
  const record = await openWork(context, runId);
  if (record === undefined) return ENDED;
  const run = await cancelAppliedRun(context, record, isApplying(record));
  const error =
    run === undefined
      ? workError('stageFailed', { error: redact(message) })
      : workError('stageFailed:applying', { error: redact(message), run });
  return end(context, record, { end: 'failed', error });
}
