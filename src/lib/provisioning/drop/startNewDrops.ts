import type { RunStarter } from '../../runs/restartRun.ts';
import { runIdFor } from '../../runs/runId.ts';
import type { RunSummary } from '../../runs/runStore.ts';
import { alone, type FoundNew } from '../../runs/sweep.ts';
import { isNotFound } from '../../storage/storageErrors.ts';
import type { ProvisioningContext } from '../run/provisionRun.ts';
import { parseDropPath } from './dropPath.ts';
import { startRunOfDrop } from './startRun.ts';

/** Starts the runs of drops that have none: their trigger never fired. */
export async function startNewDrops(
  context: ProvisioningContext,
  starter: RunStarter,
  known: ReadonlyMap<string, RunSummary>,
): Promise<FoundNew> {
  const { settings, storage } = context;
  const started: string[] = [];
  let stale = 0;
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
  return { started, stale };
}
