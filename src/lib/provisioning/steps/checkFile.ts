import { defined } from '../../defined.ts';
import { runErrorOf } from '../../runs/endRun.ts';
import { hubOf } from '../../runs/runRecord.ts';
import { areLinesGone } from '../check/checkAgain.ts';
import { checkDrop } from '../check/checkDrop.ts';
import type { CheckResult } from '../check/checkResult.ts';
import { unconfirmedHaste } from '../check/danger.ts';
import { CANCELLED, isCancelledBefore, openRun } from '../job/openRun.ts';
import { countsOf } from '../report/configurationsReport.ts';
import { endWithoutJob } from '../report/endRun.ts';
import { isSent, optionsOf, type ProvisioningContext } from '../run/provisionRun.ts';
import type { Results } from './flow.ts';

export async function checkFile(
  context: ProvisioningContext,
  { runId }: { readonly runId: string },
): Promise<Results['checkFile']> {
  const record = await openRun(context, runId);
  if (record === undefined) return { next: 'ended' };
  const options = optionsOf(record);
  const end = async (ending: Parameters<typeof endWithoutJob>[2]) => {
    await endWithoutJob(context, runId, ending);
    return { next: 'ended' } as const;
  };
  if (isCancelledBefore(record)) return end(CANCELLED);
  // What was sent is not checked, and not refused, any more: its lines are settled.
  if (isSent(record)) return { next: 'job' };
  let check: CheckResult;
  try {
    check = await checkDrop(context, record);
  } catch (error) {
    if (!areLinesGone(error)) throw error;
    return end({ state: 'refused', error: runErrorOf(error) });
  }
  const configurations = check.configurations && countsOf(check.configurations);
  await context.runs.update(runId, (current) => ({
    ...current,
    check: check.counts,
    ...defined({ configurations }),
    ...(options.dryRun ? { phase: 'preImage' } : { phase: 'turn', turnAskedAt: context.now().toISOString() }),
  }));

  if (check.refused !== undefined) return end({ state: 'refused', error: check.refused, check });
  if (check.accepted === 0) return end({ state: 'completed', check });
  const haste = unconfirmedHaste(context.hub(hubOf(record)), options);
  if (haste !== undefined) return end({ state: 'refused', error: haste, check });
  return { next: options.dryRun ? 'plan' : 'job' };
}
