import { expect, it } from 'vitest';

import type { RunRecord } from '../../src/lib/provisioning/runRecord.ts';
import { type TestStack, withStack } from '../helpers/stack.ts';

const MINUTE_MS = 60_000;

const idsOf = (count: number) => Array.from({ length: count }, (_, index) => `dev-${String(index).padStart(5, '0')}`);
const fileOf = (ids: readonly string[], fields: object = {}) =>
  ids.map((id) => `${JSON.stringify({ id, importMode: 'create', ...fields })}\n`).join('');

interface Activity {
  readonly operations: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly largestBulkCall: number;
}

async function setFaults(stack: TestStack, faults: readonly object[]): Promise<void> {
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

/** Every line fails in the import job for a passing reason; what calls then do is what is measured. */
async function failAndRetry(
  count: number,
  options: Parameters<typeof withStack>[0],
): Promise<{ record: RunRecord; activity: Activity; ids: readonly string[]; perMinute: number }> {
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
        if (seen?.retry !== undefined && seen.retry.left < count) {
          first ??= { at, left: seen.retry.left };
          if (last?.left !== seen.retry.left) last = { at, left: seen.retry.left };
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

/** A full measure has 5,000 devices, as `npm run test:retries` takes. */
const DEVICES = Number(process.env['RETRY_DEVICES'] ?? 1_500);

it.each([
  { hub: 'S3', hubOptions: { tier: 'S3' }, settings: { HUB_TIER: 'S3' } },
  // A hub of 100 a minute whose time runs 50 times as fast.
  { hub: 'S1', hubOptions: { tier: 'S1', timeScale: 50 }, settings: { HUB_TIER: 'S1', HUB_UNITS: '50' } },
])(
  'all lines that failed for a passing reason are there in the end, as fast as the throttle of $hub allows',
  async ({ hubOptions, settings }) => {
    const hubArgs = Object.entries(hubOptions).flatMap(([name, value]) => [
      `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
      String(value),
    ]);
    const { record, activity, perMinute } = await failAndRetry(DEVICES, { settings, hubArgs });
    expect(record).toMatchObject({ state: 'completed', outcomes: { succeeded: DEVICES } });
    expect(activity.largestBulkCall).toBeLessThanOrEqual(100);
    const calls = callsOf(activity, 'bulkRegistry');
    console.info(
      `${DEVICES} devices: ${calls.all} calls, ${calls.throttled} answered 429, ${Math.round(perMinute)} a minute`,
    );
    expect(calls.throttled / calls.all).toBeLessThan(0.01);
    expect(perMinute).toBeGreaterThan(5_000 * 0.95);
  },
  12 * MINUTE_MS,
);
