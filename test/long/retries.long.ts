import { it } from 'vitest';

import { expectAllRetried, THROTTLED_HUBS } from '../scenarios/retryRun.ts';

it.each(THROTTLED_HUBS)('5,000 lines that failed are there in the end, within the throttle of $hub', async (hub) =>
  expectAllRetried(5_000, hub),
);
