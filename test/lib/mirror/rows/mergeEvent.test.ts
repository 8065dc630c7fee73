import { describe, expect, it } from 'vitest';

import { mergeEvent } from '../../../../src/lib/mirror/rows/mergeEvent.ts';
import type { MirrorEvent } from '../../../../src/lib/mirror/rows/mirrorEvent.ts';
import type { MirrorRow, TwinSections, Wanted } from '../../../../src/lib/mirror/rows/row.ts';

const NOW = '2026-11-20T12:00:00.000Z';
const EARLIER = '2026-11-20T11:50:00.000Z';

/** An operation at a second of the hour. */
const at = (second: number) => `2026-11-20T10:00:${String(second).padStart(2, '0')}.0000000Z`;
const place = (sequence: number, partition = '0') => ({
  source: 'MIRROR_EVENTS',
  partition,
  sequence,
  offset: String(sequence),
  enqueuedAt: NOW,
});
const base = (second: number, sequence = second, partition = '0') =>
  ({ hub: 'default', deviceId: 'd1', at: at(second), place: place(sequence, partition) }) as const;
const twin = (version: number, tags: TwinSections['tags'] = {}) => ({ version, tags, desired: {}, reported: {} });

const created = (second: number, version = 2, tags = {}, sequence = second, partition = '0'): MirrorEvent => ({
  ...base(second, sequence, partition),
  kind: 'created',
  twin: twin(version, tags),
});
const replaced = (second: number, version: number, tags = {}): MirrorEvent => ({
  ...base(second),
  kind: 'replaced',
  twin: twin(version, tags),
});
const deleted = (second: number, sequence = second, partition = '0'): MirrorEvent => ({
  ...base(second, sequence, partition),
  kind: 'deleted',
});
const updated = (second: number, version: number, tags = {}): MirrorEvent => ({
  ...base(second),
  kind: 'updated',
  version,
  patch: { tags },
});
const doubted = (second: number): MirrorEvent => ({ ...base(second), kind: 'doubted' });

type Step = MirrorEvent | ((row: MirrorRow) => MirrorRow);

/** The row after all of them, and after a reading of the registry where one stands among them. */
function rowAfter(...steps: readonly Step[]): MirrorRow | undefined {
  return steps.reduce<MirrorRow | undefined>(
    (row, step) => (typeof step === 'function' ? row && step(row) : (mergeEvent(row, step, NOW) ?? row)),
    undefined,
  );
}

/** As a refresh that found version and tags. */
const read =
  (version: number, tags = {}) =>
  ({ wanted: _, ...row }: MirrorRow): MirrorRow => ({
    ...row,
    state: 'present',
    identity: { status: 'enabled' },
    twin: twin(version, tags),
  });
const checked =
  (second: number) =>
  (row: MirrorRow): MirrorRow => ({ ...row, checkedAt: at(second) });
/** By a run that has ended then. */
const touched =
  (second: number) =>
  (row: MirrorRow): MirrorRow => ({ ...row, updatedAt: at(second), wanted: { since: EARLIER, runId: 'r1' } });
/** As by a GET that began then. */
const readExactly =
  (second: number) =>
  (row: MirrorRow): MirrorRow => ({ ...row, checkedAt: at(second), exactAt: at(second) });
const absent = ({ wanted: _, twin: __, identity: ___, ...row }: MirrorRow): MirrorRow => ({
  ...row,
  state: 'deleted',
  deletedAt: EARLIER,
});

describe('an event that is next', () => {
  it('creates a row, which is wanted for what events do not tell', () => {
    expect(rowAfter(created(1, 2, { site: 'faro' }))).toEqual({
      hub: 'default',
      deviceId: 'd1',
      state: 'present',
      twin: twin(2, { site: 'faro' }),
      bornAt: at(1),
      order: { at: at(1), partition: 'MIRROR_EVENTS/0', sequence: 1 },
      wanted: { since: NOW, version: 2 },
      changes: [{ at: at(1), by: 'event', what: ['created'] }],
      updatedAt: NOW,
    });
  });

  it('patches a twin: objects are merged, null removes', () => {
    const row = rowAfter(
      created(1, 2, { site: 'faro', deep: { a: 1, b: 2 } }),
      updated(2, 3, { site: null, deep: { b: null, c: [1] }, more: { x: null, y: 1 } }),
    );
    expect(row?.twin).toEqual(twin(3, { deep: { a: 1, c: [1] }, more: { y: 1 } }));
    expect(row?.changes[0]).toEqual({
      at: at(2),
      by: 'event',
      what: ['tags.site', 'tags.deep.b', 'tags.deep.c', 'tags.more.y'],
    });
  });

  it('replaces a twin, also over a gap of versions', () => {
    const row = rowAfter(created(1, 2, { site: 'faro' }), read(2, { site: 'faro' }), replaced(2, 7, { room: 1 }));
    expect(row).toMatchObject({ twin: twin(7, { room: 1 }), identity: { status: 'enabled' } });
    expect(row?.wanted).toBeUndefined();
  });

  it('leaves a tombstone, which is wanted no more and keeps the run that touched it', () => {
    const row = rowAfter(created(1), touched(1), deleted(2));
    expect(row).toEqual({
      hub: 'default',
      deviceId: 'd1',
      state: 'deleted',
      bornAt: at(1),
      diedAt: at(2),
      deletedAt: NOW,
      order: { at: at(2), partition: 'MIRROR_EVENTS/0', sequence: 2 },
      lastRun: 'r1',
      changes: [
        { at: at(2), by: 'event', what: ['deleted'] },
        { at: at(1), by: 'event', what: ['created'] },
      ],
      updatedAt: NOW,
    });
  });

  it('begins a new life, in which nothing of the last one counts', () => {
    const row = rowAfter(created(1, 2, { a: 1 }), read(9, { a: 1 }), deleted(2), created(3, 2, { b: 1 }));
    expect(row).toMatchObject({ state: 'present', twin: twin(2, { b: 1 }), bornAt: at(3), wanted: { version: 2 } });
    expect(row?.identity).toBeUndefined();
  });

  it('tells keys that look like those of objects', () => {
    const patch = JSON.parse('{"__proto__":{"x":1},"constructor":2}');
    const row = rowAfter(created(1), updated(2, 3, patch));
    expect(JSON.stringify(row?.twin?.tags)).toBe('{"__proto__":{"x":1},"constructor":2}');
  });
});

const cases: readonly {
  readonly what: string;
  readonly before: readonly Step[];
  readonly event: MirrorEvent;
  /** Absent: nothing changes. */
  readonly row?: Partial<MirrorRow>;
  readonly wanted?: Partial<Wanted>;
}[] = [
  { what: 'a creation that is known', before: [created(1)], event: created(1) },
  { what: 'a creation that is known, after changes', before: [created(1), updated(2, 3), read(3)], event: created(1) },
  { what: 'a deletion that is known', before: [created(1), deleted(2)], event: deleted(2) },
  { what: 'a deletion of the last life that is known', before: [deleted(2), created(3), read(2)], event: deleted(2) },
  { what: 'a change that is known', before: [created(1), updated(2, 3), read(3)], event: updated(2, 3) },
  { what: 'a gap that is known', before: [created(1), updated(3, 4)], event: updated(3, 4) },
  { what: 'a change of an earlier life', before: [created(5), read(2)], event: updated(4, 3) },
  { what: 'a change of a life that has ended', before: [created(1), deleted(5)], event: updated(4, 3) },
  { what: 'a creation of a life that has ended', before: [deleted(5)], event: created(4) },
  { what: 'a creation of an earlier life', before: [created(5)], event: created(4) },
  { what: 'a replacement of an earlier life', before: [created(5), read(2)], event: replaced(4, 9) },
  { what: 'a change that a reading has shown', before: [created(1), read(5), checked(9)], event: updated(4, 4) },
  { what: 'a replacement that a reading has shown', before: [created(1), read(5), checked(9)], event: replaced(4, 5) },
  {
    what: 'a change before the registry was found empty',
    before: [updated(1, 3), absent, checked(9)],
    event: updated(4, 4),
  },
  {
    what: 'a change that a reading has shown, while another may be on its way',
    before: [created(1), read(5), checked(9), updated(2, 7)],
    event: updated(4, 4),
    row: { twin: twin(5), order: { at: at(4), partition: 'MIRROR_EVENTS/0', sequence: 4 } },
    wanted: { version: 7 },
  },
  {
    what: 'a gap',
    before: [created(1), read(2)],
    event: updated(3, 4, { a: 1 }),
    row: { twin: twin(2), order: { at: at(3), partition: 'MIRROR_EVENTS/0', sequence: 3 } },
    wanted: { version: 4 },
  },
  {
    what: 'the change that was missing, after a later one',
    before: [created(1), read(2), updated(4, 4)],
    event: updated(3, 3, { a: 1 }),
  },
  {
    what: 'a change that is next, while one before it is missing',
    before: [created(1), read(2), updated(4, 4)],
    event: updated(5, 5),
    row: { twin: twin(2) },
    wanted: { version: 5 },
  },
  {
    what: 'a change of nothing that is known',
    before: [],
    event: updated(3, 4, { a: 1 }),
    row: { state: 'unknown' },
    wanted: { version: 4 },
  },
  {
    what: 'a replacement of nothing that is known',
    before: [],
    event: replaced(3, 4, { a: 1 }),
    row: { state: 'present', twin: twin(4, { a: 1 }) },
    wanted: { version: 4 },
  },
  {
    what: 'a creation after a change of it',
    before: [updated(3, 3, { a: 1 })],
    event: created(1, 2, { b: 1 }),
    row: { state: 'present', twin: twin(2, { b: 1 }), bornAt: at(1) },
    wanted: { version: 3 },
  },
  {
    what: 'a creation after a change that was taken for one of the earlier life',
    before: [created(1), read(2), updated(8, 3, { a: 1 })],
    event: created(5, 2),
    row: { twin: twin(3, { a: 1 }), bornAt: at(5) },
    wanted: { byGet: true },
  },
  {
    what: 'a deletion after a change that was taken for one of the earlier life',
    before: [created(1), read(2), updated(8, 3, { a: 1 })],
    event: deleted(4),
    row: { state: 'present', diedAt: at(4) },
    wanted: { byGet: true },
  },
  {
    what: 'a deletion after the creation of the next life',
    before: [created(5), read(2)],
    event: deleted(4),
    row: { state: 'present', twin: twin(2), diedAt: at(4) },
    wanted: { byGet: true },
  },
  {
    what: 'a creation of which the deletion before it has not come',
    before: [created(1), read(7, { a: 1 })],
    event: created(5, 2),
    row: { twin: twin(2), bornAt: at(5) },
    wanted: { byGet: true, version: 2 },
  },
  {
    what: 'a creation on a young tombstone',
    before: [deleted(4)],
    event: created(5),
    row: { state: 'present' },
    wanted: { byGet: true },
  },
  {
    what: 'a change on a tombstone, of a life that has still to come',
    before: [created(1), deleted(4)],
    event: updated(5, 3),
    row: { state: 'deleted' },
    wanted: { byGet: true },
  },
  {
    what: 'a replacement on a tombstone, of a life that has still to come',
    before: [created(1), deleted(4)],
    event: replaced(5, 3),
    row: { state: 'deleted' },
    wanted: { byGet: true },
  },
  {
    what: 'a creation that a reading has shown already',
    before: [updated(1, 2), read(7, { a: 1 }), checked(9), ({ order: _, ...row }: MirrorRow) => row],
    event: created(5, 2),
    row: { twin: twin(7, { a: 1 }), bornAt: at(5), identity: { status: 'enabled' } },
  },
  {
    what: 'a deletion that comes after a reading has found what was made since',
    before: [created(1), read(2), checked(6)],
    event: deleted(5),
    row: { state: 'present', twin: twin(2), diedAt: at(5) },
    wanted: { byGet: true },
  },
  {
    what: 'a deletion that comes after a run has touched it, which may have made it anew',
    before: [created(1), touched(6)],
    event: deleted(5),
    row: { state: 'deleted', diedAt: at(5) },
    wanted: { byGet: true, runId: 'r1' },
  },
  {
    what: 'a change that a GET would have shown: of a life that has ended unheard of',
    before: [created(1), read(2), readExactly(9)],
    event: updated(5, 3, { a: 1 }),
    row: { twin: twin(2) },
    wanted: { byGet: true },
  },
  {
    what: 'a replacement that a GET would have shown',
    before: [created(1), read(2), readExactly(9)],
    event: replaced(5, 7, { a: 1 }),
    row: { twin: twin(2) },
    wanted: { byGet: true },
  },
  {
    what: 'a change that an export of later has shown, which tells no version',
    before: [created(1), read(0), readExactly(59)],
    event: updated(50, 3, { a: 1 }),
    row: { twin: twin(0) },
    wanted: { byGet: true },
  },
  {
    what: 'a change that was done long before a GET, by whichever clock',
    before: [created(1), read(2), ({ checkedAt: _, ...row }: MirrorRow) => ({ ...row, checkedAt: NOW, exactAt: NOW })],
    event: updated(5, 3, { a: 1 }),
  },
  {
    what: 'a change that a query need not have shown yet',
    before: [created(1), read(2), checked(9)],
    event: updated(5, 3, { a: 1 }),
    row: { twin: twin(3, { a: 1 }) },
  },
  {
    what: 'a creation that an export has shown already, which tells no version',
    before: [updated(1, 2), read(0, { a: 1 }), readExactly(9), ({ order: _, ...row }: MirrorRow) => row],
    event: created(5, 2),
    row: { twin: twin(0, { a: 1 }), bornAt: at(5) },
  },
  {
    what: 'a newer change with an older version',
    before: [created(1), read(7)],
    event: updated(5, 3),
    row: { twin: twin(7) },
    wanted: { byGet: true },
  },
  {
    what: 'a newer replacement with an older version',
    before: [created(1), read(7)],
    event: replaced(5, 3, { a: 1 }),
    row: { twin: twin(3, { a: 1 }) },
    wanted: { byGet: true },
  },
  {
    what: 'a change of a twin whose version nothing has told',
    before: [created(1), read(0)],
    event: updated(5, 1),
    row: { twin: twin(0) },
    wanted: { version: 1 },
  },
  {
    what: 'a change in the tick of the creation',
    before: [created(1), read(2)],
    event: updated(1, 3, { a: 1 }),
    row: { twin: twin(3, { a: 1 }) },
  },
  {
    what: 'a deletion in the tick of the creation, later in its partition',
    before: [created(1, 2, {}, 5)],
    event: deleted(1, 6),
    row: { state: 'deleted' },
    wanted: { byGet: true },
  },
  {
    what: 'a deletion in the tick of the creation, earlier in its partition',
    before: [created(1, 2, {}, 6), read(2)],
    event: deleted(1, 5),
    row: { state: 'present' },
    wanted: { byGet: true },
  },
  {
    what: 'a deletion in the tick of the creation, in another partition',
    before: [created(1, 2, {}, 6), read(2)],
    event: deleted(1, 9, '3'),
    row: { state: 'present' },
    wanted: { byGet: true },
  },
  {
    what: 'a creation in the tick of the deletion, in another partition',
    before: [deleted(1, 6)],
    event: created(1, 2, {}, 9, '3'),
    row: { state: 'deleted', bornAt: at(1) },
    wanted: { byGet: true },
  },
  {
    what: 'a change in the tick of both',
    before: [deleted(1, 6), created(1, 2, {}, 7), read(2)],
    event: updated(1, 3),
    row: { twin: twin(2) },
    wanted: { byGet: true },
  },
  {
    what: 'what nobody could read',
    before: [created(1), read(2)],
    event: doubted(3),
    row: { state: 'present', twin: twin(2) },
    wanted: { byGet: true },
  },
  {
    what: 'what nobody could read of something new',
    before: [],
    event: doubted(3),
    row: { state: 'unknown' },
    wanted: { byGet: true },
  },
];

describe('an event that comes again, late or alone', () => {
  it.each(cases)('$what', ({ before, event, row: expected, wanted }) => {
    const old = rowAfter(...before);
    const row = mergeEvent(old, event, NOW);
    if (expected === undefined) {
      expect(row).toBeUndefined();
      return;
    }
    expect(row).toMatchObject(expected);
    if (wanted === undefined) expect(row?.wanted).toBeUndefined();
    else {
      expect(row?.wanted).toMatchObject(wanted);
      expect(row?.wanted?.byGet).toBe(wanted.byGet);
    }
  });

  it('lifts an old tombstone without a GET: queries list it no more', () => {
    const old = (row: MirrorRow): MirrorRow => ({ ...row, deletedAt: '2026-11-20T10:59:00.000Z' });
    expect(rowAfter(deleted(4), old, created(5))?.wanted).toEqual({ since: NOW, version: 2 });
  });

  it('keeps since when a row is wanted, by which run, and how often it was tried', () => {
    const wanted = { since: EARLIER, version: 9, tries: 2, due: NOW, runId: 'r1' };
    const wanting = (row: MirrorRow): MirrorRow => ({ ...row, wanted });
    expect(rowAfter(created(1), read(2), wanting, updated(3, 4))?.wanted).toEqual(wanted);
  });
});

describe('the changes of a row', () => {
  it('are the last 20, and name 10 fields at most', () => {
    const many = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`k${index}`, 1]));
    const row = rowAfter(
      created(0),
      ...Array.from({ length: 30 }, (_, n) => updated(n + 1, n + 3, n === 29 ? many : { n })),
    );
    expect(row?.changes).toHaveLength(20);
    expect(row?.changes[0]?.what).toHaveLength(11);
    expect(row?.changes[0]?.what.at(-1)).toBe('…');
  });

  it('show no name that may be a key', () => {
    const row = rowAfter(created(1), updated(2, 3, { qv3ZkLm9Qx7PtRb2NwYc5A: 1 }));
    expect(row?.changes[0]?.what).toEqual(['tags.(a name)']);
  });
});
