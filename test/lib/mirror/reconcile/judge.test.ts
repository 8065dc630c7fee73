import { describe, expect, it } from 'vitest';

import { type Judgement, judge, TOMBSTONE_DAYS } from '../../../../src/lib/mirror/reconcile/judge.ts';
import type { ShownIdentity } from '../../../../src/lib/mirror/reconcile/shownIdentity.ts';
import { type MirrorRow, UNKNOWN_VERSION, type Wanted } from '../../../../src/lib/mirror/rows/row.ts';
import { AFTER, BEFORE, BEGUN, rowOf, shownOf, TERMS } from './sampleMirror.ts';

const { identity: _identity, twin: _twin, ...bare } = rowOf();
const tombstone = (more: Partial<MirrorRow> = {}): MirrorRow => ({
  ...bare,
  state: 'deleted',
  deletedAt: BEFORE,
  ...more,
});
const unknown: MirrorRow = { ...bare, state: 'unknown', wanted: { since: BEFORE, version: 3 } };
const wanted = (more: Partial<Wanted> = {}): MirrorRow => rowOf({ wanted: { since: BEFORE, ...more } });

const of = (row: MirrorRow | undefined, shown: ShownIdentity | undefined): Judgement | undefined =>
  judge({ deviceId: 'd' }, row, shown, TERMS);

/** In one word: what is seen of it, and what becomes of the row. */
function verdict(judged: Judgement | undefined): string {
  if (judged === undefined) return 'well';
  const { drift = 'none', next } = judged;
  return `${drift}: ${typeof next === 'string' ? next : next.state}`;
}

describe('a row and what the snapshot shows', () => {
  it.each<[string, MirrorRow | undefined, ShownIdentity | undefined, string]>([
    ['nothing and nothing', undefined, undefined, 'well'],
    ['the same', rowOf(), shownOf(), 'well'],
    ['nothing, a device', undefined, shownOf(), 'missing: present'],
    ['a device, nothing', rowOf(), undefined, 'extra: deleted'],
    ['another status', rowOf(), shownOf({ status: 'disabled' }), 'different: present'],
    ['a tombstone, a device', tombstone(), shownOf(), 'missing: present'],
    ['a tombstone from after the snapshot, a device', tombstone({ updatedAt: AFTER }), shownOf(), 'missing: newer'],
    ['a tombstone, nothing', tombstone(), undefined, 'well'],
    ['a tombstone that is wanted, nothing', tombstone({ wanted: { since: BEFORE } }), undefined, 'none: deleted'],
    ['what nobody knows, a device', unknown, shownOf(), 'missing: present'],
    ['what nobody knows, nothing', unknown, undefined, 'none: deleted'],
    ['what is wanted, the same', wanted(), shownOf(), 'none: present'],
    ['what is wanted, another status', wanted(), shownOf({ status: 'disabled' }), 'different: present'],
    [
      'what is wanted from after the snapshot',
      rowOf({ wanted: { since: AFTER }, updatedAt: AFTER }),
      shownOf(),
      'none: newer',
    ],
    ['a newer row, another status', rowOf({ updatedAt: AFTER }), shownOf({ status: 'disabled' }), 'different: newer'],
    ['a row of the same instant', rowOf({ updatedAt: BEGUN }), shownOf({ status: 'disabled' }), 'different: newer'],
    [
      'a row that knows of a newer event',
      rowOf({ order: { at: '2026-11-26T10:00:00.0000000Z', partition: 'E/0', sequence: 8 } }),
      undefined,
      'extra: newer',
    ],
    ['a newer row, nothing', rowOf({ updatedAt: AFTER }), undefined, 'extra: newer'],
    ['a newer row, the same', rowOf({ updatedAt: AFTER }), shownOf(), 'well'],
  ])('%s', (_, row, shown, expected) => expect(verdict(of(row, shown))).toBe(expected));

  it('tombstones of long ago are removed once the snapshot does not show their identity either', () => {
    const days = (count: number) => new Date(Date.parse(BEGUN) - count * 24 * 3_600_000).toISOString();
    const old = tombstone({ deletedAt: days(TOMBSTONE_DAYS + 1), updatedAt: days(TOMBSTONE_DAYS + 1) });
    expect(of(old, undefined)).toEqual({ next: 'removed' });
    expect(of({ ...old, deletedAt: days(TOMBSTONE_DAYS - 1) }, undefined)).toBeUndefined();
    expect(verdict(of(old, shownOf()))).toBe('missing: present');
  });
});

describe('a row that is put right', () => {
  const next = (row: MirrorRow | undefined, shown: ShownIdentity): MirrorRow => {
    const judged = of(row, shown)?.next;
    if (typeof judged !== 'object') throw new Error('The row is left as it is.');
    return judged;
  };

  it('has what the snapshot shows, and says who has seen it', () => {
    const { identity, twin, changes, updatedAt, checkedAt } = next(
      rowOf(),
      shownOf({ status: 'disabled', statusReason: 'lost', parent: 'gate', tags: { site: 'lisboa' } }),
    );
    expect(identity).toEqual({
      status: 'disabled',
      statusReason: 'lost',
      edge: false,
      parent: 'gate',
      authenticationType: 'sas',
    });
    expect(twin).toMatchObject({ tags: { site: 'lisboa' }, desired: { t: 1 }, reported: {} });
    expect(changes[0]).toMatchObject({ by: 'reconcile', what: ['status', 'statusReason', 'parent', 'tags.site'] });
    expect({ updatedAt, checkedAt }).toEqual({ updatedAt: TERMS.nowIso, checkedAt: BEGUN });
  });

  it.each<[string, MirrorRow, ShownIdentity, number]>([
    ['keeps its version when its twin is the same', rowOf(), shownOf({ status: 'disabled' }), 5],
    ['has none when its twin is another', rowOf(), shownOf({ desired: { t: 2 } }), UNKNOWN_VERSION],
    ['has none when it is lifted', tombstone(), shownOf(), UNKNOWN_VERSION],
    ['has none when an event has told of a later one', wanted({ version: 7 }), shownOf(), UNKNOWN_VERSION],
  ])('%s', (_, row, shown, version) => expect(next(row, shown).twin?.version).toBe(version));

  it('keeps what is not told', () => {
    const row = rowOf({ identity: { status: 'enabled', edge: true, parent: 'gate', authenticationType: 'sas' } });
    const { reported: _reported, ...silent } = shownOf({ edge: true, status: 'disabled', parent: undefined });
    const twin = { ...row.twin, reported: { fw: 1 } } as MirrorRow['twin'] & object;
    const after = next({ ...row, twin }, silent);
    expect(after.identity).toMatchObject({ parent: 'gate', authenticationType: 'sas' });
    expect(after.twin).toMatchObject({ reported: { fw: 1 }, version: 5 });
  });

  it('wants nothing any more, and remembers the run that wanted it', () => {
    const after = next(wanted({ runId: 'r1' }), shownOf());
    expect(after.wanted).toBeUndefined();
    expect(after.lastRun).toBe('r1');
    expect(after.changes).toEqual([]);
  });
});
