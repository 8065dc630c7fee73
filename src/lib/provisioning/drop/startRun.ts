import { defined } from '../../defined.ts';
import type { RestartResult, RunStarter } from '../../runs/restartRun.ts';
import { restartIfLost } from '../../runs/restartRun.ts';
import { runIdFor } from '../../runs/runId.ts';
import type { RunBase } from '../../runs/runRecord.ts';
import { propertiesIfThere } from '../../storage/blobProperties.ts';
import { span, traceparent } from '../../telemetry/telemetry.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import { runError } from '../texts/runErrors.ts';
import { parseDropPath } from './dropPath.ts';

export type StartResult =
  | RestartResult
  | { readonly started: false; readonly reason: 'notADrop' | 'gone' | 'stale'; readonly runId?: string };

const DAY_MS = 24 * 60 * 60 * 1000;

/** A file that is to be provisioned, and what is known of it before it is read. */
export type FileToRun = Pick<ProvisionRun, 'hub' | 'batch' | 'options' | 'appliedFor'> & {
  readonly container: string;
  readonly blobName: string;
};

/**
 * Starts the run of a dropped file, unless it has one.
 *
 * A file whose record is final is never run again, whatever has become of the durable history, the receipts of the
 * trigger, or the name of the app. One that has lain for too long is listed, and not run.
 */
export async function startRunOfDrop(
  context: ProvisioningContext,
  starter: RunStarter,
  blobName: string,
): Promise<StartResult> {
  const { settings, now } = context;
  const path = parseDropPath(blobName, [...settings.hubs.keys()]);
  if (path === undefined) return { started: false, reason: 'notADrop' };
  const { hub, batch } = path;
  const file = { ...defined({ hub }), batch, container: settings.provisionContainer, blobName };
  return startRunOfFile(context, starter, file, (lastModified): Partial<RunBase> => {
    const at = now();
    if (at.getTime() - lastModified.getTime() <= settings.dropMaxAgeDays * DAY_MS) return {};
    return {
      state: 'stale',
      finishedAt: at.toISOString(),
      error: runError('dropStale', { days: settings.dropMaxAgeDays }),
    };
  });
}

/**
 * Starts the run of this version of a file, unless it has one: then that is started anew if it was lost.
 *
 * Safe to call any number of times, at any time and by several instances at once: the run record decides, and is created
 * before the orchestration is started.
 *
 * @param endingAt how the run ends at once, by when the file was last changed
 */
export function startRunOfFile(
  context: ProvisioningContext,
  starter: RunStarter,
  file: FileToRun,
  endingAt: (lastModified: Date) => Partial<RunBase> = () => ({}),
): Promise<StartResult> {
  return span('drop', {}, async (tell) => {
    const result = await startTraced(context, starter, file, endingAt);
    tell(defined({ 'hubkeeper.run': result.runId, 'hubkeeper.hub': file.hub }));
    return result;
  });
}

async function startTraced(
  context: ProvisioningContext,
  starter: RunStarter,
  file: FileToRun,
  endingAt: (lastModified: Date) => Partial<RunBase>,
): Promise<StartResult> {
  const { storage, runs } = context;
  const { container, blobName, ...known } = file;
  const blob = storage.container(container).getBlockBlobClient(blobName);
  // The trigger's metadata is not relied on: a look at the blob itself gives its present version, and that is what runs.
  const properties = await propertiesIfThere(blob);
  if (properties?.etag === undefined || properties.lastModified === undefined)
    return { started: false, reason: 'gone' };

  const drop = { account: storage.accountName, container, blobName, etag: properties.etag };
  const runId = runIdFor(drop);
  const at = context.now().toISOString();
  const ending = endingAt(properties.lastModified);
  const record: ProvisionRun = {
    version: 2,
    runId,
    kind: 'provision',
    ...known,
    jobs: {},
    drop: { ...drop, size: properties.contentLength ?? 0, lastModified: properties.lastModified.toISOString() },
    state: 'accepted',
    createdAt: at,
    updatedAt: at,
    ...defined({ traceparent: traceparent() }),
    ...(ending.state === undefined ? { startClaim: { at, attempt: 1 } } : (ending as Pick<ProvisionRun, 'state'>)),
  };
  if (!(await runs.create(record))) return restartIfLost(context, starter, runId);
  if (record.state === 'stale') return { started: false, reason: 'stale', runId };
  await starter.start(runId, 1, 'provision');
  return { started: true, runId };
}
