import { defined } from '../../defined.ts';
import { HubError } from '../../registry/index.ts';
import { runErrorOf } from '../../runs/endRun.ts';
import type { RunState } from '../../runs/runRecord.ts';
import { hubOf } from '../../runs/runRecord.ts';
import { unconfirmedDanger } from '../check/danger.ts';
import { openChecked } from '../job/openChecked.ts';
import { plannedText, runPlanOf } from '../outcome/runPlan.ts';
import { compareWithPreImage } from '../preImage/comparison.ts';
import { surviving } from '../recovery/recovery.ts';
import { endWithoutJob } from '../report/endRun.ts';
import type { ProvisioningContext } from '../run/provisionRun.ts';
import type { EpochStep } from './flow.ts';

/**
 * The last step of a dry run: compares the file with what is there, and reports what would happen to each line, and
 * whether a real run would be refused for want of a confirmation.
 */
export const planRun = surviving(plan, (how) => ({
  state: how === 'anew' ? ('anew' as const) : ('ended' as const),
}));

async function plan(
  context: ProvisioningContext,
  { runId, epoch }: EpochStep,
): Promise<{ readonly state: RunState | 'ended' }> {
  const run = await openChecked(context, runId);
  if (run === undefined) return { state: 'ended' };
  const { record, check } = run;
  const { options } = record;
  if (options?.dryRun !== true) throw new Error(`The run ${runId} is no dry run.`);
  await context.runs.update(runId, ({ waiting: _waiting, ...rest }) => ({ ...rest, phase: 'report' }));
  const comparison = await compareWithPreImage(context, record, check, epoch);
  const counted = runPlanOf(comparison, check.accepted);
  try {
    const error = await unconfirmedDanger(context.hub(hubOf(record)), check, options, async () => comparison);
    await context.runs.update(runId, (current) => ({ ...current, plan: counted }));
    const state = error === undefined ? 'completed' : 'refused';
    await endWithoutJob(context, runId, {
      state,
      ...defined({ error }),
      check,
      skipReason: 'Dry run: the line is valid; nothing was sent to the hub.',
      reasonOf: (entry) => plannedText(comparison.of(entry)),
    });
    return { state };
  } catch (error) {
    if (!(error instanceof HubError) || error.retryable) throw error;
    await endWithoutJob(context, runId, { state: 'failed', error: runErrorOf(error), check });
    return { state: 'failed' };
  }
}
