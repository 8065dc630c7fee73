import { expect, it } from 'vitest';

import { renderHubPlan, type ShownPlan } from '../../../cli/render/hubPlanText.ts';

const NONE = { create: 0, change: 0, delete: 0 };
const look = { columns: undefined, style: (_style: unknown, text: string) => text };

function shown(counts: Partial<ShownPlan['counts']>, plan: Partial<ShownPlan['plan']> = {}): string {
  const all = {
    ...NONE,
    unchanged: 4,
    rejected: 0,
    keysUnknown: 0,
    modules: { ...NONE, unchanged: 1 },
    left: NONE,
    configurations: NONE,
    lost: { generationIds: 0, reportedProperties: 0, keys: 0 },
    ...counts,
  };
  const read = { changes: [], others: [], ...plan };
  return renderHubPlan({ title: 'From the hub to B (exact)', counts: all, plan: read, out: undefined }, look).join(
    '\n',
  );
}

it('a plan that changes nothing has counts alone', () => {
  expect(shown({})).toMatch(/^From the hub to B \(exact\):\n\n +devices +modules\n[^.:]*unchanged +3 +1\n?$/);
});

it('a plan tells changes, configurations, what the mode leaves, and what is lost', () => {
  const text = shown(
    {
      create: 2_000,
      configurations: { ...NONE, create: 1, delete: 2 },
      left: { ...NONE, change: 3 },
      lost: { generationIds: 2_000, reportedProperties: 7, keys: 5 },
    },
    { changes: [{ id: 'pump-1', change: 'changed', fields: ['tags.site'] }] },
  );
  expect(text).toContain('configurations: 1 to create, 2 to delete');
  expect(text).toContain('1 of 2,000 changes:\n\n  changed  pump-1  tags.site');
  expect(text).toContain('Left as they are in this mode: 3 that differ.');
  expect(text).toContain('5 would get new keys, for the backup has none: --new-keys asks for that.');
  expect(text).toContain('Reported properties of 7 devices and modules come back only when these report anew.');
});
