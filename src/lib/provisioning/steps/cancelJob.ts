import { tryToCancel } from '../job/openChecked.ts';
import { openRun } from '../job/openRun.ts';
import type { ProvisioningContext } from '../run/provisionRun.ts';
import type { Step } from './stepInputs.ts';

export async function cancelJob(context: ProvisioningContext, input: Step): Promise<{ readonly asked: boolean }> {
  const record = await openRun(context, input.runId);
  if (record?.job === undefined || record.job.mayBeForeign) return { asked: false };
  return { asked: await tryToCancel(context, record, record.job.jobId) };
}
