import { expect, it } from 'vitest';

import { followerOf } from '../../../cli/app/follower.ts';
import type { RunRecord } from '../../../src/lib/runKinds.ts';
import { runRecord } from '../records.ts';

const [APPLYING, BACKUP, ENDED] = ['a', 'b', 'e'].map((letter) => letter.repeat(20)) as [string, string, string];
const records: Readonly<Record<string, object>> = {
  [APPLYING]: runRecord({ runId: APPLYING }),
  [BACKUP]: { kind: 'backup', runId: BACKUP, state: 'running' },
  [ENDED]: runRecord({ runId: ENDED, state: 'completed' }),
};
const runs = { read: async (runId: string) => records[runId] as unknown as RunRecord };
const work = (change: object) => ({ kind: 'restore', state: 'running', ...change }) as unknown as RunRecord;

it.each<[string, RunRecord | undefined, string | undefined]>([
  ['applies its lines', work({ phase: 'apply', appliedBy: APPLYING }), APPLYING],
  ['makes the backup', work({ kind: 'deleteAll', phase: 'export', notes: { backedUpBy: BACKUP } }), BACKUP],
  ['is past its end', work({ phase: 'apply', appliedBy: ENDED }), undefined],
  ['is not known yet', work({ phase: 'apply' }), undefined],
  ['has no record', work({ phase: 'apply', appliedBy: 'c'.repeat(20) }), undefined],
  ['was needed in another phase', work({ phase: 'rest', appliedBy: APPLYING }), undefined],
  ['worked for one that has ended', work({ phase: 'apply', appliedBy: APPLYING, state: 'failed' }), undefined],
  ['is there for no provisioning', runRecord(), undefined],
  ['is there for nobody', undefined, undefined],
])('the run that works for another: it %s', async (_, record, runId) => {
  expect((await followerOf(runs, record))?.runId).toBe(runId);
});
