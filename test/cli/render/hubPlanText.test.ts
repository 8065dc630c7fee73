import { expect, it } from 'vitest';

import { type RestorePlanResult, renderHubPlan, type ShownPlan } from '../../../cli/render/hubPlanText.ts';

const NONE = { create: 0, change: 0, delete: 0 };
const NOW = new Date('2026-11-25T05:00:00Z');
const look = { columns: undefined, style: (_style: unknown, text: string) => text };

const COUNTS = {
  ...NONE,
  unchanged: 4,
  rejected: 0,
  keysUnknown: 0,
  modules: { ...NONE, unchanged: 1 },
  changes: 'default/_/r/plan.ndjson',
};

const rendered = (result: ShownPlan['result'], plan: Partial<ShownPlan['plan']> = {}): string =>
  renderHubPlan(
    { result, hub: 'west', now: NOW, plan: { changes: [], others: [], ...plan }, out: undefined },
    look,
  ).join('\n');

function shown(counts: Partial<RestorePlanResult>, plan: Partial<ShownPlan['plan']> = {}): string {
  const lost = { generationIds: 0, reportedProperties: 0, keys: 0 };
  const of = { backup: 'west/2026/11/20T020000Z', mode: 'exact', left: NONE, configurations: NONE, lost };
  return rendered({ ...COUNTS, ...of, ...counts }, plan);
}

it('a plan that changes nothing says so', () => {
  expect(shown({ configurations: { ...NONE, change: 1 } })).not.toContain('Nothing to do');
  expect(shown({})).toMatch(
    /^From the hub west to the backup west\/2026\/11\/20T020000Z, 5 d old \(exact\):\n\n +devices +modules\n[^.:]*unchanged +3 +1\n\n +Nothing to do: [^.:]*\.$/,
  );
});

it('a plan names the hub of the backup where that is another', () => {
  expect(shown({ backup: 'default/2026/11/20T020000Z', mode: 'missing' })).toContain(
    'From the hub west to the backup default/2026/11/20T020000Z of the hub default, 5 d old (missing):\n',
  );
});

it('a plan tells changes, configurations, what the mode leaves, and what is lost', () => {
  const text = shown(
    {
      create: 2_000,
      configurations: { ...NONE, create: 1, delete: 2 },
      left: { ...NONE, change: 3 },
      kept: { count: 2, lines: 1, code: 'keptByAnyLine', message: 'Not deleted: 2.', action: 'Look.' },
      notFound: { code: 'onlyNotFound', message: 'No device: pmup.', action: 'Check it.', names: ['pmup'], all: false },
      lost: { generationIds: 2_000, reportedProperties: 7, keys: 5 },
    },
    {
      changes: [
        { id: 'pump-1', moduleId: 'm', change: 'created', fields: [] },
        { id: 'pump-1', change: 'changed', fields: ['tags.site'] },
      ],
    },
  );
  expect(text).toContain('configurations: 1 to create, 2 to delete');
  expect(text).toMatch(/2 of 2,000 changes:\n\n {2}changed {2}pump-1 +tags\.site\n {2}created {2}pump-1\/m/);
  expect(text).toContain('Left as they are in this mode: 3 that differ.');
  expect(text).toContain('  Not deleted: 2. Look.');
  expect(text).toContain('  No device: pmup. Check it.');
  expect(text).toContain(
    '5 devices and modules would get new keys, for the backup has none: --new-keys asks for that.',
  );
  expect(text).toContain('Reported properties of 7 devices and modules come back only when these report anew.');
});

it('the plan of an undo tells what is somebody else’s by name and field, and what cannot return', () => {
  const text = rendered(
    {
      ...COUNTS,
      change: 1,
      keysUnknown: 2,
      run: '0123456789abcdef0123',
      force: false,
      foreign: 2,
      configurations: { ...NONE, foreign: 1 },
      notes: [{ code: 'recreated', message: 'Queued messages do not come back.', action: 'Send them again.' }],
    },
    {
      changes: [{ id: 'pump-1', change: 'changed', fields: ['tags.site'] }],
      others: [
        { id: 'pump-2', moduleId: 'meter', change: 'foreign', fields: ['tags.theirs', 'status'] },
        { configuration: 'twins', change: 'update', fields: ['priority'] },
        { configuration: 'other', change: 'foreign', fields: ['labels'] },
      ],
    },
  );
  expect(text).toMatch(/^To undo run 01234567 on the hub west:\n/);
  expect(text).toContain('The changes:\n\n  changed  pump-1  tags.site');
  expect(text).toContain(
    '2 of 3 that somebody else has changed since:\n\n  pump-2/meter: tags.theirs, status\n  configuration other: labels\n',
  );
  expect(text).toContain('\n  Queued messages do not come back. Send them again.');
  expect(text).not.toContain('stand on one side only');
});
