import { expect, it } from 'vitest';

import { mirrorRun } from '../scenarios/mirrorRun.ts';

it('20,000 events, twice and from older positions while the host is killed, end in the state of the registry', async () => {
  const result = await mirrorRun({ events: 20_000, devices: 500, kills: 2, seed: 5 });
  expect(result).toMatchObject({ differences: [], differing: 0, left: [], reconciles: 0 });
});
