import { isTerminalStatus } from '../../hubJobs/jobStatus.ts';
import { redact, safeError } from '../../redact.ts';
import { isFinal, type RunState } from '../../runs/runRecord.ts';
import { endFailed } from '../report/endRun.ts';
import type { ProvisioningContext } from '../run/provisionRun.ts';
import { runError } from '../texts/runErrors.ts';
import { settleNow } from './settleRun.ts';

/**
 * Ends a run whose steps failed again and again. Once its import job has ended, its lines are settled as far as anything
 * is known of them: a step that failed after that takes back nothing of what was done.
 */
export async function failRun(
  context: ProvisioningContext,
  input: { readonly runId: string; readonly message: string },
): Promise<{ readonly state: RunState }> {
  const { runId, message } = input;
  const record = await context.runs.read(runId);
  if (record?.jobs.import !== undefined && isTerminalStatus(record.jobs.import.status) && !isFinal(record.state)) {
    try {
      return await settleNow(context, {
        runId,
        error: runError('stepFailed:afterImport', { error: redact(message) }),
      });
    } catch (error) {
      context.log.log('warn', `the run cannot be settled either: ${safeError(error).message}`);
    }
  }
  return endFailed(context, input);
}
