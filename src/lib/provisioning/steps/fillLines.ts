import { openChecked } from '../job/openChecked.ts';
import { fillMissing } from '../preImage/fillMissing.ts';
import { epochSince } from '../preImage/preImage.ts';
import { stopDanger } from '../preImage/stopDanger.ts';
import { preparedAfter, surviving } from '../recovery/recovery.ts';
import { isEarlierEpoch } from '../run/epoch.ts';
import type { ProvisioningContext } from '../run/provisionRun.ts';
import type { EpochStep } from './flow.ts';

/** Stops a file that deletes much unconfirmed; else fills in what its lines leave out and their devices have. */
export const fillLines = surviving(tryFillLines, preparedAfter);

async function tryFillLines(
  context: ProvisioningContext,
  input: EpochStep,
): Promise<{ readonly status: 'ready' | 'ended' }> {
  const run = await openChecked(context, input.runId);
  if (run === undefined) return { status: 'ended' };
  const latest = await epochSince(context, run, input.epoch);
  if (isEarlierEpoch(input.epoch, latest)) return { status: 'ended' };
  if (latest !== undefined && (await stopDanger(context, run, latest))) return { status: 'ended' };
  const { kept } = await fillMissing(context, run.record, run.check, latest);
  if (kept !== undefined) await context.runs.update(input.runId, (current) => ({ ...current, kept }));
  return { status: 'ready' };
}
