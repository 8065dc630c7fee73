import { describe, expect, it } from 'vitest';

import { renderWorkResult } from '../../../cli/render/backupText.ts';
import { reconcileJson, renderReconcileResult } from '../../../cli/render/reconcileText.ts';
import type { ReconcileResult } from '../../../src/lib/mirror/reconcile/reconcileNotes.ts';
import type { WorkRun } from '../../../src/lib/work/workRun.ts';
import { tornLines } from '../onTerminal.ts';

const look = { paint: (_style: unknown, text: string) => text, columns: 80 };

function run(result: Partial<ReconcileResult> | undefined, more: Partial<WorkRun> = {}): WorkRun {
  const none = { missing: 0, extra: 0, different: 0, repaired: 0, leftAlone: 0 };
  const source = { from: 'export', begunAt: '2026-11-20T02:00:00.000Z', identities: 12_004, dryRun: false };
  return {
    kind: 'reconcile',
    version: 1,
    runId: '0123456789abcdef0123',
    hub: 'default',
    state: 'completed',
    request: {},
    jobs: {},
    createdAt: '2026-11-20T02:00:00.000Z',
    updatedAt: '2026-11-20T02:00:00.000Z',
    ...(result === undefined ? {} : { result: { ...none, ...source, ...result } }),
    ...more,
  };
}

const textOf = (record: WorkRun) => renderReconcileResult(record, look).join('\n');

describe('a reconcile', () => {
  it('tells what had drifted, and what became of it', () => {
    const text = textOf(run({ missing: 1, different: 1_100, repaired: 1_101, leftAlone: 3 }));
    expect(text).toMatch(/compared +12,004 identities in an export begun /);
    expect(text).toMatch(/missing +1 \(the hub has them/);
    expect(text).toMatch(/different +1,100 /);
    expect(text).not.toContain('extra');
    expect(text).toMatch(/repaired +1,101\n/);
    expect(text).toMatch(/left alone +3 \(changed since/);
  });

  it.each([
    ['says that there was no drift', {}, /drift +none/],
    ['that only looked says so', { extra: 2, dryRun: true }, /repaired +nothing, for it was a dry run/],
    [
      'names the backup that it read',
      { from: 'backup', backup: 'default/2026/11/20T020000Z' },
      /in the backup default\/2/,
    ],
  ] as const)('%s', (_, result, text) => expect(textOf(run(result))).toMatch(text));

  it('that has no result tells none', () => expect(renderReconcileResult(run(undefined), look)).toEqual([]));

  it('fits the terminal, also where all runs are shown', () => {
    const record = run({
      missing: 1_000_000,
      extra: 1_000_000,
      different: 1_000_000,
      repaired: 3_000_000,
      leftAlone: 9,
    });
    expect(tornLines(renderWorkResult(record, { ...look, columns: 40 }).join('\n'), 40)).toEqual([]);
  });

  it('gives scripts its counts, or nulls and the error', () => {
    expect(reconcileJson(run({ missing: 2, repaired: 2 }))).toMatchObject({
      missing: 2,
      extra: 0,
      repaired: 2,
      hub: 'default',
    });
    const error = { code: 'cancelled', message: 'm' };
    expect(reconcileJson(run(undefined, { state: 'cancelled', error }))).toMatchObject({
      missing: null,
      repaired: null,
      state: 'cancelled',
      error,
    });
  });
});
