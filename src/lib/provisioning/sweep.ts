import { runIdOfContainer } from '../storage/storage.ts';
import { isNotFound } from '../storage/storageErrors.ts';
import type { ProvisioningContext } from './context.ts';
import { parseDropPath } from './dropPath.ts';
import { type RunStarter, restartIfLost, startRunOfDrop } from './startRun.ts';

export interface SweepResult {
  readonly started: readonly string[];
  readonly restarted: readonly string[];
  readonly stale: number;
  readonly containersRemoved: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Finds what events have lost: drops without a run (their trigger never fired), and runs without a living orchestration.
 * Removes the staging of runs that have been final for `STAGING_DAYS`.
 */
export async function sweep(context: ProvisioningContext, starter: RunStarter): Promise<SweepResult> {
  const { settings, storage, runs } = context;
  const started: string[] = [];
  const restarted: string[] = [];
  let stale = 0;

  const aliases = [...settings.hubs.keys()];
  try {
    for await (const blob of storage.container(settings.provisionContainer).listBlobsFlat()) {
      if (parseDropPath(blob.name, aliases) === undefined) continue;
      const result = await startRunOfDrop(context, starter, blob.name);
      if (result.started) started.push(result.runId);
      else if (result.reason === 'stale') stale += 1;
    }
  } catch (error) {
    if (!isNotFound(error)) throw error;
    context.log.log(
      'error',
      `The container ${settings.provisionContainer} does not exist: nothing can be dropped into it.`,
    );
  }

  const ended = new Map<string, string>();
  for await (const run of runs.ids()) {
    if (run.final) {
      ended.set(run.runId, run.finishedAt ?? '');
    } else if (!started.includes(run.runId)) {
      const result = await restartIfLost(context, starter, run.runId);
      if (result.started) restarted.push(run.runId);
    }
  }

  let containersRemoved = 0;
  const removeBefore = context.now().getTime() - settings.stagingDays * DAY_MS;
  for await (const container of storage.service.listContainers({ prefix: 'hubkeeper-run-' })) {
    const runId = runIdOfContainer(container.name);
    const finishedAt = runId === undefined ? undefined : ended.get(runId);
    // Never the staging of a run that is not known to be final.
    if (!finishedAt || Date.parse(finishedAt) > removeBefore) continue;
    await storage.container(container.name).deleteIfExists();
    containersRemoved += 1;
  }
  return { started, restarted, stale, containersRemoved };
}
