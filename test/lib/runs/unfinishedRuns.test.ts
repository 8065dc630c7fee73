import { expect, it } from 'vitest';

import { RunDamaged } from '../../../src/lib/runs/parseRunRecord.ts';
import type { RunBase, RunState } from '../../../src/lib/runs/runRecord.ts';
import type { RunStore } from '../../../src/lib/runs/runStore.ts';
import { unfinishedRuns } from '../../../src/lib/runs/unfinishedRuns.ts';

type Runs = Pick<RunStore<RunBase>, 'ids' | 'read'>;

function runsOf(states: Readonly<Record<string, RunState>>, read: Runs['read']): Runs {
  return {
    read,
    async *ids() {
      for (const [runId, state] of Object.entries(states)) {
        yield { runId, final: state === 'completed', hasPreImage: false };
      }
    },
  };
}

const record = (runId: string, state: RunState) => ({ runId, state }) as RunBase;

it('a run that begins to work, or ends, while unfinished runs are looked for counts as it then is', async () => {
  const now: Readonly<Record<string, RunState>> = { begins: 'running', ends: 'completed' };
  const runs = runsOf({ begins: 'accepted', ends: 'running', ended: 'completed' }, async (runId) =>
    record(runId, now[runId] ?? 'running'),
  );
  const { records, damaged } = await unfinishedRuns(runs);
  expect(records.map(({ runId }) => runId)).toEqual(['begins']);
  expect(damaged).toEqual([]);
});

it('a record that cannot be read is named, unless its run has ended', async () => {
  const runs = runsOf({ whole: 'running', torn: 'running', old: 'completed' }, async (runId) => {
    if (runId === 'whole') return record(runId, 'running');
    throw new RunDamaged(runId, 'it is not JSON');
  });
  const { records, damaged } = await unfinishedRuns(runs);
  expect(records.map(({ runId }) => runId)).toEqual(['whole']);
  expect(damaged.map(({ runId }) => runId)).toEqual(['torn']);
});

it('what else goes wrong is no damage', async () => {
  const runs = runsOf({ r: 'running' }, async () => {
    throw new Error('the connection broke');
  });
  await expect(unfinishedRuns(runs)).rejects.toThrow('the connection broke');
});
