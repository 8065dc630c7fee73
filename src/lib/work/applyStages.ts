/**
 * The stages by which a run has a file of lines applied to its hub by a run of its own, and waits for that: cancelled and
 * suspended with it.
 */

import type { FileToApply } from '../runs/applyFile.ts';
import { cancelledRun, pausedRun, resumedRun } from '../runs/pausing.ts';
import { stagingOf } from '../runs/runContainer.ts';
import { hubOf, isFinal, isSuspended, type RunBase, type RunError } from '../runs/runRecord.ts';
import { growingDelaySeconds } from '../turns/delays.ts';
import { demandSameHub } from './sameHub.ts';
import type { Stage, StageReply } from './stage.ts';
import { workError } from './workErrors.ts';
import { enterPhase, isApplying } from './workNotes.ts';
import type { WorkContext, WorkRun } from './workRun.ts';

export interface ApplyStagesOptions {
  /** The file, in the container of the run; undefined when there is nothing to apply. */
  file(context: WorkContext, record: WorkRun): Promise<FileToApply | undefined>;
  /** The stage that follows once the lines have been applied, or when there were none. */
  readonly next: string;
}

const LONGEST_LOOK_SECONDS = 15;

/** Stages `apply` and `applyWatch`: to be entered by the first. */
export function applyStages({ file, next }: ApplyStagesOptions): Readonly<Record<string, Stage>> {
  const apply: Stage['work'] = async (context, record) => {
    if (record.appliedBy !== undefined) return { go: 'applyWatch' };
    if (record.cancelRequestedAt !== undefined && !isApplying(record)) {
      return { end: 'cancelled', error: workError('cancelled') };
    }
    await enterPhase(context, record.runId, 'apply');
    const wanted = await file(context, record);
    if (wanted === undefined) return { go: next };
    demandSameHub(context, record);
    // Whoever comes after a crash finds the run that was begun by asking for it again, be it only to cancel it. One of two
    // attempts may have ended the run meanwhile: then nothing is begun that nobody would watch.
    const noted = await context.runs.update(record.runId, (current) =>
      current.cancelRequestedAt !== undefined && !isApplying(current)
        ? undefined
        : { ...current, notes: { ...current.notes, applying: true } },
    );
    if (isFinal(noted.state)) return { go: 'applyWatch' };
    if (!isApplying(noted)) return { end: 'cancelled', error: workError('cancelled') };
    const appliedBy = await context.applyFile(wanted);
    await context.runs.update(record.runId, (current) => ({ ...current, appliedBy }));
    return { wait: 1, go: 'applyWatch' };
  };
  const watch: Stage['work'] = async (context, record, { tries = 0 }): Promise<StageReply> => {
    const { appliedBy } = record;
    if (appliedBy === undefined) return { go: 'apply' };
    const applied = await readApplied(context, appliedBy);
    if (isFinal(applied.state)) return isSuspended(record) ? { wait: 30 } : { go: next };
    return followRun(context, record, applied, { tries });
  };
  return {
    apply: { work: apply, whenCancelled: true },
    applyWatch: { work: watch, whileSuspended: true, whenCancelled: true },
  };
}

/** One look at a run that works for another and goes on: what is asked of the one is asked of both. */
export async function followRun(
  context: WorkContext,
  record: WorkRun,
  follower: RunBase,
  { tries = 0 }: { readonly tries?: number },
): Promise<StageReply> {
  await passOn(context, record, follower);
  await noteProgress(context, record, follower);
  return {
    wait: Math.min(LONGEST_LOOK_SECONDS, growingDelaySeconds(tries, LONGEST_LOOK_SECONDS) / 2),
    with: { tries: tries + 1 },
  };
}

/** The run that applies the lines of another. @throws Error when its record is gone */
export async function readApplied(context: WorkContext, runId: string): Promise<RunBase> {
  const applied: RunBase | undefined = await context.runs.read(runId);
  if (applied === undefined) throw new Error(`The record of run ${runId} is gone.`);
  return applied;
}

/** A cancel, suspend or resume of the run is one of the run that works for it. */
async function passOn(context: WorkContext, record: WorkRun, applied: RunBase): Promise<void> {
  const { cancelRequestedAt } = record;
  if (cancelRequestedAt !== undefined && applied.cancelRequestedAt === undefined) {
    await context.runs.update(applied.runId, (current) => cancelledRun(current, context.now()));
  } else if (isSuspended(record) !== isSuspended(applied) && cancelRequestedAt === undefined) {
    const change = isSuspended(record) ? pausedRun : resumedRun;
    await context.runs.update(applied.runId, (current) => change(current, context.now()));
  }
}

async function noteProgress(context: WorkContext, record: WorkRun, { progress, waiting }: RunBase): Promise<void> {
  const isSame = progress?.left === record.progress?.left && waiting?.reason === record.waiting?.reason;
  if (isSame) return;
  await context.runs.update(record.runId, (current) => {
    const { progress: _progress, waiting: _waiting, ...rest } = current;
    return {
      ...rest,
      ...(progress === undefined ? {} : { progress }),
      ...(waiting === undefined || current.suspendedAt !== undefined ? {} : { waiting }),
    };
  });
}

/** Why the lines were not applied, if they were not. */
export function endOfApplied(applied: RunBase | undefined): RunError | undefined {
  if (applied === undefined || applied.state === 'completed' || applied.state === 'completedWithFailures')
    return undefined;
  const said = workError('applyFailed', { run: applied.runId, state: applied.state });
  const { error } = applied;
  return error === undefined
    ? said
    : {
        ...said,
        message: `${said.message} ${error.message}`,
        ...(error.action === undefined ? {} : { action: error.action }),
      };
}

/** Lines in the container of a run, as they are applied: the person has confirmed what they do. */
export function fileOfLines(context: WorkContext, record: WorkRun, blobName: string): FileToApply {
  const hub = hubOf(record);
  return {
    kind: record.kind,
    hub,
    container: stagingOf(context, record.runId).containerName,
    blobName,
    options: { confirm: context.hub(hub).hubName },
  };
}
