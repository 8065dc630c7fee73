import { expect, it } from 'vitest';

import type { RunBase, RunState } from '../../../src/lib/runs/runRecord.ts';
import type { RunStore } from '../../../src/lib/runs/runStore.ts';
import { unfinishedRuns } from '../../../src/lib/runs/unfinishedRuns.ts';

it('a run that begins to work while unfinished runs are looked for is found all the same', async () => {
  let now: RunState = 'accepted';
  const survey: RunStore<RunBase>['survey'] = async ({ state } = {}) => {
    // The one listing takes longer than the other.
    if (state === 'accepted') await new Promise(setImmediate);
    const records = now === state ? [{ runId: 'r', state } as RunBase] : [];
    now = 'running';
    return { records, damaged: [] };
  };
  expect((await unfinishedRuns({ survey })).map(({ runId }) => runId)).toContain('r');
});
