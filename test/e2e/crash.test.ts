import { expect, it } from 'vitest';

import { crashRun } from '../scenarios/crashRun.ts';

it('a run of 5,000 devices whose host is killed three times ends as if nothing had happened', async () => {
  const result = await crashRun({ devices: 5_000, kills: 3, seed: 11 });
  expect(result).toEqual({ missing: [], unexpected: 0, importJobs: 1, state: 'completed', succeeded: 5_000 });
});
