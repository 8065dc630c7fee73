import { HubError } from '../../registry/index.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import { noJobUnderWay } from './noJobUnderWay.ts';

/** Whether it is known that no job of the run is under way; a hub that does not answer leaves it open. */
export async function isIdle(context: ProvisioningContext, record: ProvisionRun): Promise<boolean> {
  // Before its hub is known it has none.
  if (record.hub === undefined) return true;
  try {
    return await noJobUnderWay(context, record);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    context.log.log('warn', `whether the job of run ${record.runId} has ended is not known: ${error.message}`);
    return false;
  }
}
