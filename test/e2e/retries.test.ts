import { expect, it } from 'vitest';
import { withStack } from '../helpers/stack.ts';
import { expectAllRetried, fileOf, idsOf, setFaults, THROTTLED_HUBS } from '../scenarios/retryRun.ts';

const MINUTE_MS = 60_000;

it.each(THROTTLED_HUBS)(
  'all lines that failed transiently are there in the end, as fast as the throttle of $hub allows',
  async (hub) => expectAllRetried(1_500, hub),
  4 * MINUTE_MS,
);

it(
  'more lines than calls can send in a quarter of an hour go once more by a job, and what fails there too by calls',
  async () => {
    const ids = idsOf(1_600);
    await withStack({ settings: { HUB_TIER: 'S1', HUB_UNITS: '1' } }, async (stack) => {
      const twice = ids.slice(0, 7);
      await setFaults(stack, [
        { operation: 'importLine', code: 'ThrottlingException', transient: 1, ids: ids.slice(7) },
        { operation: 'importLine', code: 'ServerError', transient: 2, ids: twice },
      ]);
      await stack.drop('devices.txt', fileOf(ids, { tags: { site: 'faro' } }));
      const record = await stack.finalRecord('devices.txt', 3 * MINUTE_MS);
      expect(record).toMatchObject({
        state: 'completed',
        outcomes: { succeeded: 1_600 },
        jobs: { retry: { status: 'completed' } },
        progress: { part: 'devices', lines: 7, left: 0 },
      });
      expect((await stack.deviceIds()).sort()).toEqual(ids);
      expect((await stack.hubState()).jobs).toMatchObject({ importsCreated: 2, overlapped: false });
    });
  },
  4 * MINUTE_MS,
);
