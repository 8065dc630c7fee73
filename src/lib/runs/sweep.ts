import { safeError } from '../redact.ts';
import { runIdOfContainer } from '../storage/containers.ts';
import { type RunStarter, restartIfLost } from './restartRun.ts';
import type { RunContext } from './runContext.ts';
import type { RunSummary } from './runStore.ts';
import { unfinishedRuns } from './unfinishedRuns.ts';

/** What has had no run, though it should have one: which runs were started for it, and how much of it is too old. */
export interface FoundNew {
  readonly started: readonly string[];
  readonly stale: number;
}

export interface SweepResult extends FoundNew {
  readonly restarted: readonly string[];
  readonly containersRemoved: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Finds what events have lost: runs that were never begun, and runs of any kind without a living orchestration. Removes
 * the staging of runs that have been final for `STAGING_DAYS`, or `UNDO_DAYS` where they can be undone from it,
 * but for what a run that goes on reads.
 *
 * @param startNew starts the runs that were never begun; it is given those that are known
 */
export async function sweep(
  context: RunContext,
  starter: RunStarter,
  startNew: (known: ReadonlyMap<string, RunSummary>) => Promise<FoundNew>,
): Promise<SweepResult> {
  const { settings, storage, runs } = context;
  const restarted: string[] = [];

  const known = new Map<string, RunSummary>();
  for await (const run of runs.ids()) known.set(run.runId, run);
  const found = await startNew(known);

  for (const [runId, { final }] of known) {
    if (final) continue;
    const result = await alone(context, `run ${runId}`, () => restartIfLost(context, starter, runId));
    if (result?.started) restarted.push(runId);
  }

  const mayBeRead = await containersRead(context);
  let containersRemoved = 0;
  for await (const container of storage.service.listContainers({ prefix: 'hubkeeper-run-' })) {
    const runId = runIdOfContainer(container.name);
    const run = known.get(runId ?? '');
    // Never the staging of a run that is not known to be final.
    if (!run?.final || run.finishedAt === undefined) continue;
    if (mayBeRead(run.runId)) continue;
    const days = run.hasPreImage ? Math.max(settings.stagingDays, settings.undoDays) : settings.stagingDays;
    if (context.now().getTime() - Date.parse(run.finishedAt) < days * DAY_MS) continue;
    await storage.container(container.name).deleteIfExists();
    containersRemoved += 1;
  }
  return { ...found, restarted, containersRemoved };
}

/** Runs whose containers are read by others that have not ended. */
async function containersRead({ runs, log }: RunContext): Promise<(runId: string) => boolean> {
  const { records, damaged } = await unfinishedRuns(runs);
  for (const { damaged: of } of damaged) {
    log.log(
      'warn',
      `sweep: no staging is removed, for a run that has not ended may read it. ${of.message} ${of.action}`,
    );
  }
  const read = new Set(records.flatMap(({ reads = [] }) => reads));
  return (runId) => damaged.length > 0 || read.has(runId);
}

/** Does something for one run or drop; what goes wrong there holds up none of the others, and is met again next time. */
export async function alone<Result>(
  context: RunContext,
  what: string,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    context.log.log('error', `sweep: ${what} is left for the next time: ${safeError(error).message}`);
    return undefined;
  }
}
