import { expect, it } from 'vitest';

import { runSchedules } from '../scenarios/runSchedule.ts';

/** Always the same ten; `npm run test:faults` takes two hundred others each time. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

it('ten random fault schedules end with the truth about every line', { timeout: 600_000 }, async () => {
  const results = await runSchedules(SEEDS, 2);
  expect(results.filter(({ problems }) => problems.length > 0)).toEqual([]);
  expect(results).toHaveLength(SEEDS.length);
});
