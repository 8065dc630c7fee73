import { openChecked } from '../job/openChecked.ts';
import { filledFor } from '../preImage/filled.ts';
import { epochSince } from '../preImage/preImage.ts';
import { stopDanger } from '../preImage/stopDanger.ts';
import { preparedAfter, surviving } from '../recovery/recovery.ts';
import { isEarlierEpoch } from '../run/epoch.ts';
import type { ProvisioningContext } from '../run/provisionRun.ts';
import type { EpochStep } from './stepInputs.ts';

export async function tryFillLines(
  context: ProvisioningContext,
  input: EpochStep,
): Promise<{ readonly status: 'ready' | 'ended' }> {
  const run = await openChecked(context, input.runId);
  if (run === undefined) return { status: 'ended' };
  const latest = await epochSince(context, run, input.epoch);
  if (isEarlierEpoch(input.epoch, latest)) return { status: 'ended' };
  if (latest !== undefined && (await stopDanger(context, run, latest))) return { status: 'ended' };
  const { kept } = await filledFor(context, run.record, run.check, latest);
  if (kept !== undefined) await context.runs.update(input.runId, (current) => ({ ...current, kept }));
  return { status: 'ready' };
}

/** Stops a file that deletes much unconfirmed; else fills in what its lines leave out and their devices have. */
export async function fillLines(
  context: ProvisioningContext,
  input: EpochStep,
): Promise<{ readonly status: 'ready' | 'anew' | 'ended' }> {
  return surviving(context, input.runId, () => tryFillLines(context, input), preparedAfter);
}
