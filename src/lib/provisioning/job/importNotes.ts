/**
 * What the record of a run says of its import: that it is about to be sent, or that nobody sends it any more. The record
 * outlives the container of the run, and each change of it is conditional: of sending and closing, one comes first.
 */

import type { ProvisioningContext } from '../../runs/runContext.ts';
import { isSent } from '../../runs/runRecord.ts';

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
