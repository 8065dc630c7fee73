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
    configurations: NONE,
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
      '3 devices and modules got new keys, for the backup has none. Give them to those that plan.ndjson',
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

  it.each<[string, Partial<WorkRun>, string]>([
    [
      'what was planned',
      { result: { ...counts, create: 2_000, delete: 1, configurations: { ...NONE, change: 3 } } },
      'planned   2,000 to create, 1 to delete; configurations: 3 to change',
    ],
    [
      'that nothing was to be done',
      { result: counts, outcomes: noOutcomes },
      'planned   nothing: there was no difference',
    ],
    [
      'that nothing was to be put back',
      { kind: 'undo', result: { ...NONE, configurations: NONE } },
      'planned   nothing: what the run changed',
    ],
    ['which backup', { result: { backup: 'default/2026/11/20T020000Z' } }, 'backup    default/2026/11/20T020000Z'],
    ['that nothing was changed', { state: 'failed' }, 'Nothing was changed on the hub.'],
    [
      'that nothing was changed by a cancelled one',
      { state: 'cancelled', kind: 'deleteAll' },
      'Nothing was changed on the hub.',
    ],
    [
      'that something may have been',
      { state: 'cancelled', appliedBy: 'a'.repeat(20) },
      'What it had changed on the hub by then stays.',
    ],
    [
      'that something else may have been',
      { state: 'failed', notes: { restAt: {} } },
      'What it had changed on the hub by then stays.',
    ],
    [
      'that there was nothing to delete',
      { kind: 'deleteAll', request: { prefix: 'zz' }, result: {}, outcomes: noOutcomes },
      'There was nothing to delete: no device has an id that begins with zz.',
    ],
    [
      'that keys come back by an undo',
      { kind: 'deleteAll', result: { keys: 'excluded' } },
      'The backup has no keys (BACKUP_KEYS)',
    ],
    [
      'how a hub is emptied',
      { kind: 'drill', appliedBy: 'a'.repeat(20) },
      'empty it  delete-all --hub default --configurations',
    ],
  ])('says %s', (_, change, says) => {
    const text = outcome(change);
    expect(text).toContain(`\n  ${says}`);
    if (change.outcomes === noOutcomes) expect(text).not.toContain('lines');
  });

  it('of a backup that failed says nothing of a hub', () => {
    expect(outcome({ kind: 'backup', state: 'failed' })).not.toContain('hub');
  });
});
