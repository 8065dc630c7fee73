import { describe, expect, it } from 'vitest';

import { mergeReading, type ReadHow, type Reading } from '../../../../src/lib/mirror/rows/mergeReading.ts';
import type { MirrorRow, TwinSections } from '../../../../src/lib/mirror/rows/row.ts';

const BEGUN = '2026-11-20T12:00:00.000Z';
const NOW = '2026-11-20T12:00:01.000Z';
const BEFORE = '2026-11-20T11:59:00.000Z';
const AFTER = '2026-11-20T12:00:00.500Z';
const LONG_AGO = '2026-11-20T10:00:00.000Z';

const twin = (version: number, tags: TwinSections['tags'] = {}) => ({ version, tags, desired: {}, reported: {} });
const identity = { status: 'enabled', edge: false } as const;

const row: MirrorRow = {
  hub: 'default',
  deviceId: 'd1',
  state: 'present',
  twin: twin(4, { site: 'faro' }),
  identity,
  bornAt: '2026-11-20T11:00:00.0000000Z',
  order: { at: '2026-11-20T11:30:00.0000000Z', partition: 'MIRROR_EVENTS/0', sequence: 9 },
  updatedAt: BEFORE,
  changes: [],
};
const gone: MirrorRow = { ...without(row, 'twin', 'identity'), state: 'deleted', deletedAt: BEFORE };
const unknown: MirrorRow = { ...without(row, 'twin', 'identity', 'bornAt'), state: 'unknown' };

function without(from: MirrorRow, ...names: readonly (keyof MirrorRow)[]): MirrorRow {
  return Object.fromEntries(Object.entries(from).filter(([name]) => !names.includes(name as never))) as never;
}

const wanting = (wanted: Partial<MirrorRow['wanted']> = {}, of = row): MirrorRow => ({
  ...of,
  wanted: { since: BEFORE, ...wanted },
});
const found = (version: number, tags: TwinSections['tags'] = { site: 'faro' }): Reading => ({
  identity,
  twin: twin(version, tags),
});
const how = (by: ReadHow['by']): ReadHow => ({ hub: 'default', deviceId: 'd1', by, begunAt: BEGUN, nowIso: NOW });

describe('a reading', () => {
  it.each<[string, MirrorRow | undefined, Reading, ReadHow['by'], 'counts' | 'again']>([
    ['at the version of the row', wanting(), found(4), 'query', 'counts'],
    ['later than the row', wanting(), found(5), 'query', 'counts'],
    ['earlier than the row', wanting(), found(3), 'query', 'again'],
    ['earlier than an event', wanting({ version: 6 }), found(5), 'query', 'again'],
    ['as late as an event', wanting({ version: 6 }), found(6), 'query', 'counts'],
    ['of a query that does not list the row', wanting(), 'absent', 'query', 'again'],
    ['of a query, of a row that only a GET can tell', wanting({ byGet: true }), found(9), 'query', 'again'],
    ['of a query, on a young tombstone', wanting({}, gone), found(9), 'query', 'again'],
    ['of a query, on an old tombstone', wanting({}, { ...gone, deletedAt: LONG_AGO }), found(9), 'query', 'counts'],
    [
      'of a query, in a life that is younger than the last deletion',
      wanting({}, { ...row, deletedAt: BEFORE }),
      found(9),
      'query',
      'again',
    ],
    ['of a query without a version', wanting(), { identity, twin: {} }, 'query', 'again'],
    ['of a query, of what nobody knew', undefined, found(2), 'query', 'counts'],
    ['by GET, earlier than the row', wanting({ version: 6 }), found(2), 'get', 'counts'],
    ['by GET, on a tombstone', wanting({ byGet: true }, gone), found(2), 'get', 'counts'],
    ['by GET, of what has changed since', { ...wanting(), updatedAt: AFTER }, found(9), 'get', 'again'],
    ['by GET of nothing, of what has changed since', { ...wanting(), updatedAt: AFTER }, 'absent', 'get', 'again'],
    ['of an export, of a row before it', row, found(9), 'export', 'counts'],
    ['of an export, on a tombstone before it', gone, found(9), 'export', 'counts'],
    ['of an export without the row', row, 'absent', 'export', 'counts'],
    ['of an export, of a row that has changed since', { ...row, updatedAt: AFTER }, found(9), 'export', 'again'],
    ['of an export, of a row that changed as it began', { ...row, updatedAt: BEGUN }, found(9), 'export', 'again'],
    [
      'of an export, of a row with an event after it began',
      { ...row, order: { at: '2026-11-20T12:00:00.0000001Z', partition: 'x', sequence: 1 } },
      found(9),
      'export',
      'again',
    ],
  ])('%s', (_, of, reading, by, expected) => {
    const merged = mergeReading(of, reading, how(by));
    expect(merged === 'again' ? 'again' : 'counts').toBe(expected);
    if (merged === 'again') return;
    expect(merged).toMatchObject({
      state: reading === 'absent' ? 'deleted' : 'present',
      updatedAt: NOW,
      checkedAt: BEGUN,
    });
    expect(merged?.wanted).toBeUndefined();
    if (reading !== 'absent') expect(merged?.twin).toEqual(reading.twin);
  });

  it('notes the run that wanted it, and what has changed', () => {
    const reading: Reading = {
      identity: { status: 'disabled', statusReason: 'lost', edge: false, parent: 'edge1' },
      twin: { ...twin(5, { site: 'porto' }), desired: { a: { b: 1 } } },
    };
    expect(mergeReading(wanting({ runId: 'r1' }), reading, how('query'))).toEqual({
      ...row,
      ...reading,
      lastRun: 'r1',
      updatedAt: NOW,
      checkedAt: BEGUN,
      changes: [
        {
          at: NOW,
          by: 'refresh',
          what: ['status', 'statusReason', 'parent', 'tags.site', 'properties.desired.a.b'],
        },
      ],
    });
  });

  it('names no change of what events do not tell, the first time that it is read', () => {
    const merged = mergeReading(wanting({}, without(row, 'identity')), found(4), how('query'));
    expect(merged).toMatchObject({ identity, changes: [] });
  });

  it('finds what was unknown', () => {
    expect(mergeReading(wanting({ version: 3 }, unknown), found(3), how('query'))).toMatchObject({
      state: 'present',
      changes: [{ at: NOW, by: 'refresh', what: ['found'] }],
    });
  });

  it('makes a row where there is none, and none of nothing', () => {
    expect(mergeReading(undefined, found(3), { ...how('export'), moduleId: 'm1' })).toEqual({
      hub: 'default',
      deviceId: 'd1',
      moduleId: 'm1',
      state: 'present',
      ...(found(3) as object),
      updatedAt: NOW,
      checkedAt: BEGUN,
      exactAt: BEGUN,
      changes: [{ at: NOW, by: 'reconcile', what: ['found'] }],
    });
    expect(mergeReading(undefined, 'absent', how('export'))).toBeUndefined();
  });

  it('of nothing leaves a tombstone, once', () => {
    const { twin: _twin, identity: _identity, ...rest } = row;
    expect(mergeReading(wanting({ runId: 'r1' }), 'absent', how('get'))).toEqual({
      ...rest,
      state: 'deleted',
      deletedAt: NOW,
      lastRun: 'r1',
      updatedAt: NOW,
      checkedAt: BEGUN,
      exactAt: BEGUN,
      changes: [{ at: NOW, by: 'refresh', what: ['deleted'] }],
    });
    expect(mergeReading(wanting({ byGet: true }, gone), 'absent', how('get'))).toEqual({
      ...gone,
      updatedAt: NOW,
      checkedAt: BEGUN,
      exactAt: BEGUN,
    });
  });
});

describe('an export', () => {
  it('writes nothing of what is as it should be', () => {
    expect(mergeReading(row, found(4), how('export'))).toBeUndefined();
    expect(mergeReading(gone, 'absent', how('export'))).toBeUndefined();
  });

  it('completes a row that was never read, and drops what was wanted', () => {
    expect(mergeReading(without(row, 'identity'), found(4), how('export'))).toMatchObject({ identity });
    expect(mergeReading(wanting(), found(4), how('export'))).toMatchObject({ checkedAt: BEGUN });
  });

  it.each([
    { what: 'the same content', of: row, tags: { site: 'faro' }, status: 'disabled', version: 4 },
    { what: 'other content', of: row, tags: { site: 'porto' }, status: 'enabled', version: 0 },
    {
      what: 'the same content before an event',
      of: wanting({ version: 6 }),
      tags: { site: 'faro' },
      status: 'enabled',
      version: 0,
    },
  ] as const)('without versions, of $what, gives version $version', ({ of, tags, status, version }) => {
    const reading: Reading = { identity: { status, edge: false }, twin: { tags, desired: {} } };
    expect(mergeReading(of, reading, how('export'))).toMatchObject({ twin: { ...twin(version, tags) } });
  });

  it('that tells no reported properties leaves them alone', () => {
    const of = { ...row, twin: { ...twin(4), reported: { battery: 7 } } };
    const reading: Reading = { identity, twin: { tags: { a: 1 }, desired: {} } };
    expect(mergeReading(of, reading, how('export'))).toMatchObject({
      twin: { reported: { battery: 7 }, tags: { a: 1 } },
    });
  });
});
