import { expect } from 'vitest';

import type { ProvisionRun } from '../../src/lib/provisioning/run/provisionRun.ts';
import { type TestStack, withStack } from '../helpers/stack.ts';

const MINUTE_MS = 60_000;
const ALLOWED_PER_MINUTE = 5_000;

export const idsOf = (count: number) =>
  Array.from({ length: count }, (_, index) => `dev-${String(index).padStart(5, '0')}`);
export const fileOf = (ids: readonly string[], fields: object = {}) =>
  ids.map((id) => `${JSON.stringify({ id, importMode: 'create', ...fields })}\n`).join('');

interface Activity {
  readonly operations: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly largestBulkCall: number;
}

export async function setFaults(stack: TestStack, faults: readonly object[]): Promise<void> {
  const { status } = await fetch(`${stack.hubAdminUrl}/faults`, { method: 'POST', body: JSON.stringify(faults) });
  expect(status).toBeLessThan(300);
}

async function activityOf(stack: TestStack): Promise<Activity> {
  return ((await (await fetch(`${stack.hubAdminUrl}/state`)).json()) as { activity: Activity }).activity;
}

function callsOf({ operations }: Activity, operation: string): { all: number; throttled: number } {
  const byStatus = operations[operation] ?? {};
  return { all: Object.values(byStatus).reduce((sum, count) => sum + count, 0), throttled: byStatus['429'] ?? 0 };
}

/** Every line fails in the import job transiently; what calls then do is what is measured. */
async function failAndRetry(
  count: number,
  options: Parameters<typeof withStack>[0],
): Promise<{ record: ProvisionRun; activity: Activity; ids: readonly string[]; perMinute: number }> {
  const ids = idsOf(count);
  return withStack(options, async (stack) => {
    await setFaults(stack, [{ operation: 'importLine', code: 'ThrottlingException' }]);
    await stack.drop('devices.txt', fileOf(ids, { tags: { site: 'faro' } }));
    let first: { at: number; left: number } | undefined;
    let last: { at: number; left: number } | undefined;
    const record = await stack.until(
      'the run to end',
      async () => {
        const seen = await stack.recordOf('devices.txt');
        const at = Date.now();
        if (seen?.progress !== undefined && seen.progress.left < count) {
          first ??= { at, left: seen.progress.left };
          if (last?.left !== seen.progress.left) last = { at, left: seen.progress.left };
        }
        return seen?.finishedAt === undefined ? undefined : seen;
      },
      10 * MINUTE_MS,
    );
    expect((await stack.deviceIds()).sort()).toEqual(ids);
    const perMinute =
      first === undefined || last === undefined ? 0 : ((first.left - last.left) / (last.at - first.at)) * MINUTE_MS;
    return { record, activity: await activityOf(stack), ids, perMinute };
  });
}

/** Hubs that take 5,000 items a minute. */
export const THROTTLED_HUBS = [
  { hub: 'S3', hubArgs: ['--tier', 'S3'], settings: { HUB_TIER: 'S3' } },
  // A hub of 100 a minute whose time runs 50 times as fast.
  { hub: 'S1', hubArgs: ['--tier', 'S1', '--time-scale', '50'], settings: { HUB_TIER: 'S1', HUB_UNITS: '50' } },
] as const;

/**
 * Has every line of a file fail in the import job on a hub with its real throttles, and expects all of them to be there in
 * the end: by calls of at most 100, fewer than 1 % of them answered 429, at 95 % of the allowed rate at least.
 */
export async function expectAllRetried(count: number, hub: (typeof THROTTLED_HUBS)[number]): Promise<void> {
  const { record, activity, perMinute } = await failAndRetry(count, { settings: hub.settings, hubArgs: hub.hubArgs });
  expect(record).toMatchObject({ state: 'completed', outcomes: { succeeded: count } });
  expect(activity.largestBulkCall).toBeLessThanOrEqual(100);
  const { all, throttled } = callsOf(activity, 'bulkRegistry');
  console.info(
    `${hub.hub}: ${count} devices in ${all} calls, ${throttled} answered 429, ${Math.round(perMinute)} a minute`,
  );
  expect(throttled / all).toBeLessThan(0.01);
  expect(perMinute).toBeGreaterThan(ALLOWED_PER_MINUTE * 0.95);
}
