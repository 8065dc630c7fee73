import { expect, test } from 'vitest';

import { renderPlan } from '../../../cli/render/planText.ts';
import { renderOutcome } from '../../../cli/render/runText.ts';
import { DEFAULT_OPTIONS } from '../../../src/lib/provisioning/run/options.ts';
import { noOutcomes, runRecord } from '../records.ts';

const plain = (_style: unknown, text: string) => text;
const plan = {
  effects: {
    created: 1_200,
    overwritten: 50,
    twinUpdated: 10,
    deleted: 12,
    unchanged: 3,
    failsExists: 5,
    failsMissing: 2,
    failsDeviceMissing: 1,
    failsEtag: 4,
  },
  disabled: 7,
  lackingParent: 6,
};

test('a plan is a table of what would happen, numbers grouped, without what would not', () => {
  expect(renderPlan(plan, plain)).toEqual([
    '',
    '  would be created                    1,200',
    '  would be overwritten                   50',
    '    enabled now, then disabled            7',
    '  would get a new twin                   10',
    '  would be deleted                       12',
    '  not there, nothing to delete            3',
    '  would fail: exists already              5',
    '  would fail: does not exist              2',
    '  would fail: its device is missing       1',
    '  would fail: has another ETag            4',
    '  would lack a parent: it is missing      6',
  ]);
  const effects = Object.fromEntries(Object.keys(plan.effects).map((effect) => [effect, 0])) as typeof plan.effects;
  const small = { effects: { ...effects, created: 3 }, disabled: 0, lackingParent: 0 };
  expect(renderPlan(small, plain)).toEqual(['', '  would be created                        3']);
});

test('what would fail is painted, and a run without a plan has no table', () => {
  const painted = renderPlan(plan, (style, text) => `<${style}>${text.trim().replace(/ {2,}/, ' ')}`);
  expect(painted.filter((line) => line.startsWith('<'))).toEqual([
    '<yellow>enabled now, then disabled 7',
    '<red>would fail: exists already 5',
    '<red>would fail: does not exist 2',
    '<red>would fail: its device is missing 1',
    '<red>would fail: has another ETag 4',
    '<red>would lack a parent: it is missing 6',
  ]);
  expect(renderPlan(undefined, plain)).toEqual([]);
});

test('the outcome of a dry run shows it below the counts', () => {
  const record = runRecord({
    state: 'completed',
    finishedAt: '2026-11-20T10:01:13.000Z',
    options: { ...DEFAULT_OPTIONS, dryRun: true },
    outcomes: { ...noOutcomes, skipped: 1_287 },
    plan,
  });
  const lines = renderOutcome(record, undefined, {
    now: new Date('2026-11-20T10:05:00.000Z'),
    paint: plain,
    command: () => 'npx hubkeeper',
  });
  expect(lines[0]).toContain('dry run: nothing was sent to the hub');
  expect(lines).toContain('  would be created                    1,200');
  expect(lines.findIndex((line) => line.startsWith('  skipped'))).toBeLessThan(
    lines.findIndex((line) => line.startsWith('  would be created')),
  );
});
