import { HubError } from '../../registry/index.ts';
import { runErrorOf } from '../../runs/endRun.ts';
import type { RunError, RunState } from '../../runs/runRecord.ts';
import { hubOf } from '../../runs/runRecord.ts';
import type { CheckResult } from '../check/checkResult.ts';
import { unconfirmedDanger } from '../check/danger.ts';
import { endWithoutJob } from '../report/endRun.ts';
import type { Epoch } from '../run/epoch.ts';
import { closeImportJob } from '../run/importNotes.ts';
import { optionsOf, type ProvisioningContext, type ProvisionRun } from '../run/provisionRun.ts';
import { compareWithPreImage } from './comparison.ts';

/**
 * Ends a run whose file would delete or disable a good part of the registry and is not confirmed, before anything is
 * sent. Only the pre-image tells, for what does not exist does not count.
 *
 * @returns whether the run has ended
 */
export async function stopDanger(
  context: ProvisioningContext,
  run: { readonly record: ProvisionRun; readonly check: CheckResult },
  epoch: Epoch,
): Promise<boolean> {
  const { record, check } = run;
  const compare = () => compareWithPreImage(context, record, check, epoch);
  try {
    const error = await unconfirmedDanger(context.hub(hubOf(record)), check, optionsOf(record), compare);
    return error !== undefined && (await stop(context, run, { state: 'refused', error }));
  } catch (error) {
    if (!(error instanceof HubError) || error.retryable) throw error;
    return stop(context, run, { state: 'failed', error: runErrorOf(error) });
  }
}

async function stop(
  context: ProvisioningContext,
  { record, check }: { readonly record: ProvisionRun; readonly check: CheckResult },
  ending: { readonly state: RunState; readonly error: RunError },
): Promise<boolean> {
  const gate = await closeImportJob(context, record);
  if (gate === 'busy') throw new Error('An earlier attempt to start the job may still be under way.');
  // An earlier attempt let it pass, and has sent it.
  if (gate === 'sent') return false;
  // Nothing is sent, so nothing can be undone: the copy goes with the rest of the staging.
  await context.runs.update(record.runId, ({ preImage: _preImage, ...rest }) => rest);
  await endWithoutJob(context, record.runId, { ...ending, check });
  return true;
}
