import { describe, expect, it } from 'vitest';

import { renderWorkOutcome } from '../../../cli/render/workText.ts';
import type { WorkRun } from '../../../src/lib/work/workRun.ts';
import { noOutcomes } from '../records.ts';

const NONE = { create: 0, change: 0, delete: 0 };

function outcome(change: Partial<WorkRun>, columns?: number): string {
  const record: WorkRun = {
    version: 1,
    jobs: {},
    runId: '0123456789abcdef0123',
    kind: 'restore',
    hub: 'default',
    request: {},
    state: 'completed',
    createdAt: '2026-11-20T10:00:00.000Z',
    updatedAt: '2026-11-20T10:00:20.000Z',
    finishedAt: '2026-11-20T10:00:20.000Z',
    outcomes: { ...noOutcomes, succeeded: 3 },
    ...change,
  };
  const look = {
    now: new Date(),
    paint: (_style: unknown, text: string) => text,
    columns,
    command: (...words: string[]) => words.join(' '),
  };
  return renderWorkOutcome(record, look).join('\n');
}

describe('the outcome', () => {
  const counts = {
    ...NONE,
    lost: { generationIds: 3, reportedProperties: 2, keys: 3 },
    left: NONE,
    rejected: 1,
    kept: { count: 2, lines: 1, code: 'keptByAnyLine', message: 'Not deleted: 2.', action: 'Look.' },
    notFound: { code: 'onlyNotFound', message: 'No device: pmup.', action: 'Check it.', names: ['pmup'], all: false },
  };

  it('of a restore tells what its counts do not', () => {
    const text = outcome({ result: { ...counts, differences: 1 } });
    for (const said of [
      'No device: pmup. Check it.',
      'Not deleted: 2. Look.',
      '3 have new keys, for the backup has none: give them to these devices.',
      'Reported properties of 2 devices',
      '1 line could not be compared.',
      'Compared with the backup in the end: 1 difference, one a line in differences.ndjson',
    ]) {
      expect(text).toContain(`\n  ${said}`);
    }
    expect(outcome({ kind: 'drill', result: { differences: 0 } })).toContain('in the end: no difference.');
    expect(outcome({ result: { backup: 'default/2026/11/20T020000Z' } })).not.toContain('in the end');
    const goesOn = { finishedAt: undefined as unknown as string };
    expect(outcome({ result: counts, ...goesOn })).not.toContain('pmup');
  });

  it('of an undo has the notes of its plan, and what was left alone with its configurations', () => {
    const notes = [
      { code: 'foreign', message: '1 identity was changed by somebody else.' },
      { code: 'recreated', message: 'Queued messages do not come back.', action: 'Send them again.' },
    ];
    const text = outcome({ kind: 'undo', result: { foreign: 1, configurations: { ...NONE, foreign: 2 }, notes } });
    expect(text).toContain('\n  Left alone, because somebody else has changed them since: 3. --force puts');
    expect(text).toContain('\n  Queued messages do not come back. Send them again.');
    expect(text).not.toContain('1 identity');
    expect(outcome({ kind: 'undo', result: {} })).not.toContain('Left alone');
  });
});
