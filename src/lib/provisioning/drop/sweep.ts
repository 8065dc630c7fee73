import { safeError } from '../../redact.ts';
import { runIdFor } from '../../runs/runId.ts';
import type { RunSummary } from '../../runs/runStore.ts';
import { runIdOfContainer } from '../../storage/containers.ts';
import { isNotFound } from '../../storage/storageErrors.ts';
import type { ProvisioningContext } from '../run/provisionRun.ts';
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
 * Removes the staging of runs that have been final for `STAGING_DAYS`, or `UNDO_DAYS` where it holds a pre-image.
 */
export async function sweep(context: ProvisioningContext, starter: RunStarter): Promise<SweepResult> {
  const { settings, storage, runs } = context;
  const started: string[] = [];
  const restarted: string[] = [];
  let stale = 0;

  const known = new Map<string, RunSummary>();
  for await (const run of runs.ids()) known.set(run.runId, run);

  const aliases = [...settings.hubs.keys()];
  const box = { account: storage.accountName, container: settings.provisionContainer };
  try {
    for await (const { name, properties } of storage.container(settings.provisionContainer).listBlobsFlat()) {
      if (parseDropPath(name, aliases) === undefined) continue;
      // The listing alone tells which drops have a run: a box full of old files costs nothing but the listing.
      if (known.has(runIdFor({ ...box, blobName: name, etag: properties.etag }))) continue;
      const result = await alone(context, name, () => startRunOfDrop(context, starter, name));
      if (result === undefined) continue;
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

  for (const [runId, { final }] of known) {
    if (final) continue;
    const result = await alone(context, `run ${runId}`, () => restartIfLost(context, starter, runId));
    if (result?.started) restarted.push(runId);
  }

  let containersRemoved = 0;
  for await (const container of storage.service.listContainers({ prefix: 'hubkeeper-run-' })) {
    const runId = runIdOfContainer(container.name);
    const run = known.get(runId ?? '');
    // Never the staging of a run that is not known to be final.
    if (!run?.final || run.finishedAt === undefined) continue;
    const days = run.hasPreImage ? Math.max(settings.stagingDays, settings.undoDays) : settings.stagingDays;
    if (context.now().getTime() - Date.parse(run.finishedAt) < days * DAY_MS) continue;
    await storage.container(container.name).deleteIfExists();
    containersRemoved += 1;
  }
  return { started, restarted, stale, containersRemoved };
}

/** Does something for one run or drop; what goes wrong there holds up none of the others, and is met again next time. */
async function alone<Result>(
  context: ProvisioningContext,
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
