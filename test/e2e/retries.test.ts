import { it } from 'vitest';

import { expectAllRetried, THROTTLED_HUBS } from '../helpers/retryRun.ts';

it.each(THROTTLED_HUBS)(
  'all lines that failed for a passing reason are there in the end, as fast as the throttle of $hub allows',
  async (hub) => expectAllRetried(1_500, hub),
  4 * 60_000,
);
