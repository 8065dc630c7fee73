import { beforeEach, describe, expect, it } from 'vitest';

import { comparePiece } from '../../../../src/lib/mirror/reconcile/comparePiece.ts';
import { countDrift } from '../../../../src/lib/mirror/reconcile/countDrift.ts';
import { repairPiece } from '../../../../src/lib/mirror/reconcile/repairPiece.ts';
import { compareKeys, type ShownLine } from '../../../../src/lib/mirror/reconcile/sections.ts';
import type { ShownIdentity } from '../../../../src/lib/mirror/reconcile/shownIdentity.ts';
import { bucketOf } from '../../../../src/lib/mirror/store/bucketOf.ts';
import { type MirrorStore, RowTooLarge } from '../../../../src/lib/mirror/store/mirrorStore.ts';
import { createMemoryMirrorStore, type MemoryMirrorStore } from '../../../helpers/memoryMirrorStore.ts';
import { AFTER, rowOf, shownOf, TERMS } from './sampleMirror.ts';

/** Devices of one bucket, in order. */
const IDS = Array.from({ length: 4_000 }, (_, n) => `d${n}`)
  .filter((id) => bucketOf(id) === 9)
  .sort();
const PIECE = { firstBucket: 9, buckets: 1, part: 0, parts: 1 };

let store: MemoryMirrorStore;
beforeEach(() => {
  store = createMemoryMirrorStore();
});

function id(at: number): string {
  const found = IDS[at];
  if (found === undefined) throw new Error('There are not so many ids.');
  return found;
}

function linesOf(...identities: readonly ShownIdentity[]): readonly ShownLine[] {
  return identities
    .map(({ deviceId, moduleId, ...rest }) => {
      const key = { deviceId, ...(moduleId === undefined ? {} : { moduleId }) };
      return { ...key, text: JSON.stringify({ ...key, ...rest }) };
    })
    .sort(compareKeys);
}

async function reconcile(lines: readonly ShownLine[], through: MirrorStore = store) {
  const buckets = [{ bucket: 9, lines }];
  const compared = await comparePiece(through, PIECE, buckets, TERMS);
  return { compared, repaired: await repairPiece(through, compared, { buckets, terms: TERMS }) };
}

/** Another writer comes between reading and writing. */
function disturbed(times: number, disturb: () => void): MirrorStore {
  let left = times;
  return {
    ...store,
    async write(hub, writes) {
      if (left > 0) disturb();
      left -= 1;
      return store.write(hub, writes);
    },
  };
}

const shown = (at: number, more: Partial<ShownIdentity> = {}) => shownOf({ deviceId: id(at), ...more });
const row = (at: number, more = {}) => rowOf({ deviceId: id(at), ...more });

describe('what has drifted', () => {
  it('is repaired, and nothing else is written', async () => {
    store.put(row(1), row(2), row(3), row(4), row(4, { moduleId: 'm' }), row(5, { updatedAt: AFTER }));
    const other = rowOf({ deviceId: 'elsewhere' });
    store.put(other);
    const lines = linesOf(
      shown(0),
      shown(0, { moduleId: 'm', status: undefined, parent: undefined, edge: undefined, statusReason: undefined }),
      shown(1),
      shown(2, { status: 'disabled', tags: {} }),
      shown(5, { status: 'disabled' }),
    );
    const before = store.written();
    const { repaired } = await reconcile(lines);
    expect(repaired).toEqual([
      { deviceId: id(0), drift: 'missing', action: 'repaired' },
      { deviceId: id(0), moduleId: 'm', drift: 'missing', action: 'repaired' },
      { deviceId: id(2), drift: 'different', fields: ['status', 'tags.site'], action: 'repaired' },
      { deviceId: id(3), drift: 'extra', action: 'repaired' },
      { deviceId: id(4), drift: 'extra', action: 'repaired' },
      { deviceId: id(4), moduleId: 'm', drift: 'extra', action: 'repaired' },
      { deviceId: id(5), drift: 'different', fields: ['status'], action: 'leftAlone' },
    ]);
    expect(countDrift(repaired)).toEqual({ missing: 2, extra: 3, different: 1, repaired: 6, leftAlone: 1 });
    expect(store.written() - before).toBe(6);
    const kept = Object.fromEntries(store.all('a').map((each) => [each.deviceId, each.state]));
    expect(kept).toEqual({
      ...{ [id(0)]: 'present', [id(1)]: 'present', [id(2)]: 'present', [id(3)]: 'deleted', [id(4)]: 'deleted' },
      ...{ [id(5)]: 'present', elsewhere: 'present' },
    });
    expect((await reconcile(lines)).compared.findings.map(({ deviceId }) => deviceId)).toEqual([id(5)]);
  });

  it('is told with at most 20 fields', async () => {
    store.put(row(1));
    const tags = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`t${n}`, n]));
    const [finding] = (await reconcile(linesOf(shown(1, { tags })))).repaired;
    expect(finding?.fields).toHaveLength(20);
    expect(finding?.moreFields).toBe(11);
  });

  it('fills an empty store', async () => {
    const all = linesOf(...IDS.slice(0, 40).map((deviceId) => shownOf({ deviceId })));
    expect(countDrift((await reconcile(all)).repaired)).toMatchObject({ missing: 40, repaired: 40 });
    expect(store.all('a').map(({ deviceId }) => deviceId)).toEqual(IDS.slice(0, 40));
  });
});

describe('a row that somebody else writes meanwhile', () => {
  const lines = linesOf(shown(1, { status: 'disabled' }));

  it('is read again, and repaired if it still is older than the snapshot', async () => {
    store.put(row(1));
    const through = disturbed(1, () => store.put(row(1, { lastRun: 'r1' })));
    expect((await reconcile(lines, through)).repaired).toMatchObject([{ action: 'repaired' }]);
    expect(store.all('a')[0]).toMatchObject({ identity: { status: 'disabled' }, lastRun: 'r1' });
  });

  it('is left alone if it is newer now', async () => {
    store.put(row(1));
    const through = disturbed(1, () => store.put(row(1, { updatedAt: AFTER })));
    expect((await reconcile(lines, through)).repaired).toMatchObject([{ action: 'leftAlone' }]);
    expect(store.all('a')[0]).toMatchObject({ identity: { status: 'enabled' } });
  });

  it('is left alone once it was read in vain several times', async () => {
    store.put(row(1), row(2));
    const both = linesOf(shown(1, { status: 'disabled' }), shown(2, { status: 'disabled' }));
    const through = disturbed(99, () => store.put(row(1)));
    expect((await reconcile(both, through)).repaired).toMatchObject([{ action: 'leftAlone' }, { action: 'repaired' }]);
  });
});

it('a row that is too large is left alone, and holds up no other', async () => {
  store.put(row(1), row(2), row(3));
  const large: MirrorStore = {
    ...store,
    async write(hub, writes) {
      const one = writes.find(({ key }) => key.deviceId === id(2));
      if (one !== undefined) throw new RowTooLarge(one.key);
      return store.write(hub, writes);
    },
  };
  const lines = linesOf(...[1, 2, 3].map((at) => shown(at, { status: 'disabled' })));
  const { repaired } = await reconcile(lines, large);
  expect(repaired.map(({ action }) => action)).toEqual(['repaired', 'leftAlone', 'repaired']);
});

it('repaired once more, by an attempt that knows only what was found, it tells the same and writes nothing', async () => {
  store.put(row(1), row(2));
  const lines = linesOf(shown(0), shown(1, { status: 'disabled' }));
  const { compared, repaired } = await reconcile(lines);
  const written = store.written();
  const again = await repairPiece(
    store,
    { findings: compared.findings, seen: new Map() },
    { buckets: [{ bucket: 9, lines }], terms: TERMS },
  );
  expect(again).toEqual(repaired);
  expect(store.written()).toBe(written);
});
