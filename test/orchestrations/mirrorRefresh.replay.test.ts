/** The refresh of the mirror under the executor of the library: each episode replays its history. */

import { expect, it } from 'vitest';

import type { RefreshReply } from '../../src/lib/mirror/refresh/refreshStep.ts';
import { mirrorRefresh } from '../../src/orchestrations/mirrorRefresh.ts';
import { runReplayed } from '../helpers/replayEngine.ts';

const reply = (more: Partial<RefreshReply>): RefreshReply => ({
  read: 0,
  again: 0,
  worked: 0,
  queries: 0,
  operations: 0,
  throttled: [],
  trouble: false,
  left: { queries: 0, operations: 0 },
  pace: { queriesPerMinute: 20, operationsPerMinute: 100 },
  ...more,
});

it('a refresh of more steps than a history has, with waits and trouble on the way, ends with no timer left', async () => {
  const left = { queries: 9, operations: 3 };
  const many = Array.from({ length: 70 }, () => reply({ left, read: 500 }));
  const steps = [
    reply({ left }),
    ...many,
    reply({ left, trouble: true, throttled: ['queries', 'operations'] }),
    reply({ read: 100 }),
    reply({ soonSeconds: 3 }),
  ];
  let takes = 0;
  const { status, output } = await runReplayed(
    mirrorRefresh,
    { hub: 'east' },
    {
      answer: (asked) => {
        if (asked.kind === 'timer') return undefined;
        if (asked.kind !== 'entityMessage') return steps.shift() ?? reply({});
        takes += 1;
        return takes % 3 === 0 ? { granted: false, waitMs: 900 } : { granted: true, spreadMs: 500 };
      },
      workMs: 200,
      raised: [],
    },
  );
  expect([status, output, steps.length]).toEqual(['completed', { state: 'done' }, 0]);
  expect(takes).toBeGreaterThan(100);
});
