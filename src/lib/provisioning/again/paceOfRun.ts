import { hubOf } from '../../runs/runRecord.ts';
import { type HubPace, paceOf } from '../../turns/hubPace.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';

/** The pace of the hub that a run is for. */
export function paceOfRun(context: ProvisioningContext, record: ProvisionRun): HubPace {
  return paceOf(context.settings.hubSizes.get(hubOf(record)) ?? { tier: 'S1', units: 1 });
}
