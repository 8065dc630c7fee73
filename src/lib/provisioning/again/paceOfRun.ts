import { hubOf } from '../../runs/runRecord.ts';
import { type HubPace, paceOf } from '../../turns/hubPace.ts';
import { type ProvisioningContext, type ProvisionRun, retryMsOf } from '../run/provisionRun.ts';

/** The pace of the hub that a run is for. */
export function paceOfRun(context: ProvisioningContext, record: ProvisionRun): HubPace {
  return paceOf(context.settings.hubSizes.get(hubOf(record)) ?? { tier: 'S1', units: 1 });
}

/** Lines that are sent for the first time after the import are tried for this long at least, whatever `retryMinutes` says. */
const LEAST_MS = 10 * 60_000;

/** Until when such lines are tried: for twice as long as they take, if that is longer. */
export function firstSentUntil(
  context: ProvisioningContext,
  record: ProvisionRun,
  lines: { readonly count: number; readonly perMinute: number },
): string {
  const workMs = (lines.count * 60_000) / lines.perMinute;
  return new Date(context.now().getTime() + Math.max(LEAST_MS, retryMsOf(record), 2 * workMs)).toISOString();
}
