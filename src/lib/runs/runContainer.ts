/** The container of a run: what it keeps while it works, and what it may be undone from. */

import type { ContainerClient } from '@azure/storage-blob';

import { ensureContainer } from '../storage/ensureContainer.ts';
import { storageCode } from '../storage/storageErrors.ts';
import type { RunContext } from './runContext.ts';
import { hubOf, type RunBase } from './runRecord.ts';

const DELETED_TRIES = 30;
const DELETED_PAUSE_MS = 2_000;

export function stagingOf(context: RunContext, runId: string): ContainerClient {
  return context.storage.runContainer(runId);
}

/** Where the snapshots of a run are taken: of its hub, into its container. */
export function snapshotPlace(context: RunContext, record: Pick<RunBase, 'runId' | 'hub'>) {
  return { hub: context.hub(hubOf(record)), container: stagingOf(context, record.runId), now: context.now };
}

/** The container of the run, made if it is not there; one that was just deleted cannot be made anew for a while. */
export async function openStaging(context: RunContext, runId: string): Promise<ContainerClient> {
  const container = stagingOf(context, runId);
  for (let tries = 1; ; tries++) {
    try {
      await ensureContainer(container);
      return container;
    } catch (error) {
      if (storageCode(error) !== 'ContainerBeingDeleted' || tries === DELETED_TRIES) throw error;
      await context.sleep(DELETED_PAUSE_MS);
    }
  }
}
