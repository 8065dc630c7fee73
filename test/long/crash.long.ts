import { expect, it } from 'vitest';

import { crashRun } from '../scenarios/crashRun.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 100_000);

it(`a run of 20,000 devices whose host is killed twenty times ends as if nothing had happened (SEED=${seed})`, async () => {
  const result = await crashRun({ devices: 20_000, kills: 20, seed });
  expect(result).toEqual({ missing: [], unexpected: 0, importJobs: 1, state: 'completed', succeeded: 20_000 });
});
