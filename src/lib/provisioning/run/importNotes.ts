/**
 * What the record of a run says of its import: that it is about to be sent, or that nobody sends it any more. The record
 * outlives the container of the run, and each change of it is conditional: of sending and closing, one comes first.
 */

import { closeHubJob, readJobState, underLease } from '../../hubJobs/jobState.ts';
import { type Epoch, isEarlierEpoch } from './epoch.ts';
import { IMPORT_JOB_BLOB } from './jobBlobs.ts';
import { isSent, type ProvisioningContext, type ProvisionRun } from './provisionRun.ts';

/** @returns whether it may be sent */
export async function noteSending(context: ProvisioningContext, runId: string, at: string): Promise<boolean> {
  const record = await context.runs.update(runId, (current) =>
    current.importClosed === true || current.importSentAt !== undefined ? undefined : { ...current, importSentAt: at },
  );
  return record.importClosed !== true && record.importSentAt !== undefined;
}

/** The hub has refused it for certain. */
export async function noteRefused(context: ProvisioningContext, runId: string, at: string): Promise<void> {
  await context.runs.update(runId, ({ importSentAt, ...rest }) => (importSentAt === at ? rest : undefined));
}

/** @returns false when it was sent, or may have been */
export async function closeImport(context: ProvisioningContext, runId: string): Promise<boolean> {
  const record = await context.runs.update(runId, (current) =>
    isSent(current) || current.importClosed === true ? undefined : { ...current, importClosed: true },
  );
  return !isSent(record);
}

export async function importSent(context: ProvisioningContext, runId: string): Promise<boolean> {
  const record = await context.runs.read(runId);
  return record !== undefined && isSent(record);
}

/** Closes a run to its import, in its state and in its record. */
export function closeImportJob(context: ProvisioningContext, record: ProvisionRun): ReturnType<typeof closeHubJob> {
  return closeHubJob(context, record, IMPORT_JOB_BLOB, () => closeImport(context, record.runId));
}

export async function importJobStarted(context: ProvisioningContext, record: ProvisionRun): Promise<boolean> {
  return (await readJobState(context, record, IMPORT_JOB_BLOB))?.job !== undefined;
}

/**
 * Begins an epoch of the pre-image: from now on no import is started that was filled from an earlier one.
 *
 * @returns `sent` when the import was started, or may have been: then it goes by the pre-image that it had. `outdated`
 *   when a later epoch has begun. `busy`: ask again
 */
export async function openEpoch(
  context: ProvisioningContext,
  record: ProvisionRun,
  epoch: Epoch,
): Promise<'open' | 'sent' | 'outdated' | 'busy'> {
  const opened = await underLease(context, record, IMPORT_JOB_BLOB, async (held) => {
    const state = await held.read();
    if (isEarlierEpoch(epoch, state.fence)) return 'outdated' as const;
    if (state.job !== undefined || state.intent !== undefined) return 'sent' as const;
    if (await importSent(context, record.runId)) return 'sent' as const;
    if (state.fence !== epoch) await held.save({ ...state, fence: epoch });
    return 'open' as const;
  });
  return opened ?? 'busy';
}
