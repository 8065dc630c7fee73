import { expect, it } from 'vitest';

import { keepRun } from '../scenarios/keepRun.ts';

it('100,000 updates without keys and status leave every device its own; a delete of a fifth of the hub waits for a word', async () => {
  const result = await keepRun(100_000, 900_000);
  expect(result).toMatchObject({
    contradictions: [],
    updated: { succeeded: 100_000 },
    stopped: { code: 'confirmationNeeded', devices: 100_000 },
    deleted: { succeeded: 20_000 },
    devicesAtTheEnd: 80_000,
    exports: 1,
  });
});
