import { describe, expect, it } from 'vitest';

import { goesByGet, readInVain, unsureGone, wantedBy } from '../../../../src/lib/mirror/refresh/wants.ts';
import type { MirrorRow, Wanted } from '../../../../src/lib/mirror/rows/row.ts';

const NOW = new Date('2026-11-20T02:00:00.000Z');
const nowIso = NOW.toISOString();
const inSeconds = (seconds: number) => new Date(NOW.getTime() + seconds * 1000).toISOString();
const row = (wanted?: Partial<Wanted>, more: Partial<MirrorRow> = {}): MirrorRow => ({
  hub: 'default',
  deviceId: 'd1',
  state: 'present',
  updatedAt: inSeconds(-900),
  changes: [],
  ...(wanted === undefined ? {} : { wanted: { since: inSeconds(-900), ...wanted } }),
  ...more,
});

describe('a row that was read in vain', () => {
  it.each([
    [0, 1],
    [1, 2],
    [2, 5],
    [3, 15],
    [5, 60],
    [6, 300],
    [60, 300],
  ])('for the time %i is due after %i s', (tries, seconds) => {
    expect(readInVain(row({ tries, version: 3 }), NOW).wanted).toEqual({
      since: inSeconds(-900),
      version: 3,
      tries: tries + 1,
      due: inSeconds(seconds),
    });
  });

  it.each([
    [{}, false],
    [{ tries: 2 }, false],
    [{ tries: 3 }, true],
    [{ byGet: true as const }, true],
  ])('goes by GET with %j: %s', (wanted, expected) => {
    expect(goesByGet(row(wanted), nowIso)).toBe(expected);
  });
});

describe('a row that is found to be gone', () => {
  const gone = row(undefined, { state: 'deleted' });
  it.each([
    [
      'just heard of, is read once more',
      row({ since: inSeconds(-3) }),
      { since: inSeconds(-3), byGet: true, due: inSeconds(27) },
    ],
    ['heard of long ago, is gone', row({}), undefined],
    ['that was read before, is gone', row({ since: inSeconds(-3) }, { identity: {} }), undefined],
    ['found gone before, is gone', row({ since: inSeconds(-3) }, { state: 'deleted' }), undefined],
  ])('%s', (_, before, wanted) => {
    expect(unsureGone(before, gone, NOW).wanted).toEqual(wanted);
  });
});

describe('a row that a run has touched', () => {
  const want = (before: MirrorRow | undefined, more: object = {}) =>
    wantedBy('default', { deviceId: 'd1' }, before, { runId: 'r1', doneAt: NOW, ...more }, NOW);

  it('is read once the index of the hub has caught up', () => {
    expect(want(undefined)).toEqual({
      hub: 'default',
      deviceId: 'd1',
      state: 'unknown',
      updatedAt: nowIso,
      changes: [],
      wanted: { since: nowIso, due: inSeconds(5), runId: 'r1' },
    });
    expect(want(undefined, { doneAt: new Date(0) }).wanted?.due).toBe(nowIso);
  });

  it('is read by GET, when it may be gone or was gone', () => {
    expect(want(row(), { mayBeGone: true }).wanted).toMatchObject({ byGet: true, due: nowIso });
    const before = row(undefined, { state: 'deleted', deletedAt: inSeconds(-60) });
    expect(want(before).wanted).toMatchObject({ byGet: true, due: inSeconds(5) });
  });

  it('keeps what it was wanted for before, is not read sooner, and was not tried yet', () => {
    const before = row({ version: 4, due: inSeconds(20), tries: 2, runId: 'r0' });
    expect(want(before).wanted).toEqual({ since: inSeconds(-900), version: 4, due: inSeconds(20), runId: 'r1' });
    expect(want(row({ due: inSeconds(-20) })).wanted).toMatchObject({ due: inSeconds(5) });
  });
});
