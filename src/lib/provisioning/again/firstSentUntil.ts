import { type ProvisioningContext, type ProvisionRun, retryMsOf } from '../run/provisionRun.ts';

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
