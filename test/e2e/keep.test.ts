import { expect, it } from 'vitest';

import { keepRun } from '../helpers/keepRun.ts';

it('3,000 updates without keys and status leave every device its own; a delete of a fifth of the hub waits for a word', async () => {
  const result = await keepRun(3_000);
  expect(result).toMatchObject({
    contradictions: [],
    updated: { succeeded: 3_000 },
    stopped: { code: 'confirmationNeeded', devices: 3_000 },
    deleted: { succeeded: 600 },
    devicesAtTheEnd: 2_400,
    exports: 1,
  });
});
