import type { ProvisioningContext } from '../../runs/runContext.ts';
import { hubOf, type RunRecord } from '../../runs/runRecord.ts';
import { type HubPace, paceOf } from '../../turns/hubPace.ts';

/** The pace of the hub that a run is for. */
export function paceOfRun(context: ProvisioningContext, record: RunRecord): HubPace {
  return paceOf(context.settings.hubSizes.get(hubOf(record)) ?? { tier: 'S1', units: 1 });
}
