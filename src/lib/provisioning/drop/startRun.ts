import { RunDamaged } from '../../runs/parseRunRecord.ts';
import { runIdFor } from '../../runs/runId.ts';
import { isFinal } from '../../runs/runRecord.ts';
import { isNotFound } from '../../storage/storageErrors.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import { runError } from '../texts/runErrors.ts';
import { parseDropPath } from './dropPath.ts';

/** The durable engine, as far as starting a run needs it. */
export interface RunStarter {
  /** Whether an orchestration of that id exists and has not ended. */
  isLive(runId: string): Promise<boolean>;
  /** @param attempt which start of the run this is, from 1 */
  start(runId: string, attempt: number): Promise<void>;
}

export type StartResult =
  | { readonly started: true; readonly runId: string }
  | {
      readonly started: false;
      readonly reason: 'notADrop' | 'gone' | 'final' | 'live' | 'stale' | 'gaveUp' | 'damaged';
      readonly runId?: string;
    };

/** A claim to start a run is good for this long; then whoever comes next may take it over. */
const CLAIM_MS = 15_000;
/** A run whose orchestration was lost this many times is not started once more. */
const MAX_STARTS = 5;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Starts the run of a dropped file, unless it has one.
 *
 * Safe to call any number of times, at any time and by several instances at once: the run record decides. It is created
 * before the orchestration is started, and a file whose record is final is never run again, whatever has become of the
 * durable history, the receipts of the trigger, or the name of the app.
 */
export async function startRunOfDrop(
  context: ProvisioningContext,
  starter: RunStarter,
  blobName: string,
): Promise<StartResult> {
  const { settings, storage, runs, now } = context;
  const path = parseDropPath(blobName, [...settings.hubs.keys()]);
  if (path === undefined) return { started: false, reason: 'notADrop' };

  const blob = storage.container(settings.provisionContainer).getBlockBlobClient(blobName);
  // The trigger's metadata is not relied on: a look at the blob itself gives its present version, and that is what runs.
  const properties = await blob.getProperties().catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  if (properties?.etag === undefined || properties.lastModified === undefined)
    return { started: false, reason: 'gone' };

  const drop = {
    account: storage.accountName,
    container: settings.provisionContainer,
    blobName,
    etag: properties.etag,
  };
  const runId = runIdFor(drop);
  const at = now();
  const stale = at.getTime() - properties.lastModified.getTime() > settings.dropMaxAgeDays * DAY_MS;
  const record: ProvisionRun = {
    version: 2,
    runId,
    kind: 'provision',
    jobs: {},
    ...(path.hub === undefined ? {} : { hub: path.hub }),
    batch: path.batch,
    drop: { ...drop, size: properties.contentLength ?? 0, lastModified: properties.lastModified.toISOString() },
    state: stale ? 'stale' : 'accepted',
    createdAt: at.toISOString(),
    updatedAt: at.toISOString(),
    ...(stale
      ? {
          finishedAt: at.toISOString(),
          error: runError('dropStale', { days: settings.dropMaxAgeDays }),
        }
      : { startClaim: { at: at.toISOString(), attempt: 1 } }),
  };
  if (await runs.create(record)) {
    if (stale) return { started: false, reason: 'stale', runId };
    await starter.start(runId, 1);
    return { started: true, runId };
  }
  return restartIfLost(context, starter, runId);
}

/** Starts the orchestration of an unfinished run again when it has none that is alive; never one whose record is damaged. */
export async function restartIfLost(
  context: ProvisioningContext,
  starter: RunStarter,
  runId: string,
): Promise<StartResult> {
  try {
    return await startAgain(context, starter, runId);
  } catch (error) {
    if (!(error instanceof RunDamaged)) throw error;
    context.log.log('warn', `${error.message} ${error.action ?? ''}`);
    return { started: false, reason: 'damaged', runId };
  }
}

async function startAgain(context: ProvisioningContext, starter: RunStarter, runId: string): Promise<StartResult> {
  for (;;) {
    const current = await context.runs.read(runId);
    if (current === undefined || isFinal(current.state)) return { started: false, reason: 'final', runId };
    if (await starter.isLive(runId)) return { started: false, reason: 'live', runId };

    const claim = current.startClaim;
    const age = claim === undefined ? Number.POSITIVE_INFINITY : context.now().getTime() - Date.parse(claim.at);
    // A claim from the future was made by a clock that is far off, and says nothing.
    if (Math.abs(age) < CLAIM_MS) {
      // Somebody is starting it this moment, or died while doing so: wait and see, so that no start is ever lost.
      await context.sleep(1_000);
      continue;
    }
    const attempt = (claim?.attempt ?? 0) + 1;
    if (attempt > MAX_STARTS) {
      await context.runs.update(runId, (record) => ({
        ...record,
        state: 'failed',
        finishedAt: context.now().toISOString(),
        error: runError('orchestrationLost', { times: MAX_STARTS }),
      }));
      return { started: false, reason: 'gaveUp', runId };
    }
    const at = context.now().toISOString();
    let mine = false;
    await context.runs.update(runId, (record) => {
      mine = record.startClaim?.at === claim?.at;
      return mine ? { ...record, startClaim: { at, attempt } } : undefined;
    });
    if (!mine) continue;
    await starter.start(runId, attempt);
    return { started: true, runId };
  }
}
