import { describe, expect, it } from 'vitest';

import { deviceView } from '../../../../src/lib/mirror/query/deviceView.ts';
import type { MirrorRow } from '../../../../src/lib/mirror/rows/row.ts';
import { createMemoryMirrorStore } from '../../../helpers/memoryMirrorStore.ts';
import { AT, rowOf } from './sampleRows.ts';

const RECONCILED = '2026-11-26T09:30:00.000Z';

/** Of two hubs, of which the one was reconciled. */
function view(rows: readonly MirrorRow[], id: string, hub?: string) {
  const store = createMemoryMirrorStore();
  store.put(...rows);
  const reconciledAt = async (alias: string) => (alias === 'a' ? RECONCILED : undefined);
  return deviceView({ store, hubs: ['a', 'b'], reconciledAt, now: () => new Date(AT) }, id, hub);
}

describe('all about a device', () => {
  it('is its twin, its changes, its last run and its modules', async () => {
    const changes = [{ at: AT, by: 'event', what: ['tags.site'] }] as const;
    const twin = { tags: { site: 'faro' }, desired: { a: 1 }, reported: { b: 2 }, version: 7 };
    const wanted = { since: '2026-11-26T09:00:00.000Z' };
    const device = rowOf('d#1', { twin, changes, lastRun: '8f7423198f62d8f1e168', bornAt: AT, wanted });
    const seen = await view([device, rowOf('d#1', { moduleId: 'm' }), rowOf('d#12')], 'd#1');
    expect(seen).toMatchObject({
      deviceId: 'd#1',
      state: 'present',
      tags: { site: 'faro' },
      properties: { desired: { a: 1 }, reported: { b: 2 } },
      version: 7,
      changes,
      lastRun: '8f7423198f62d8f1e168',
      bornAt: AT,
      deletedAt: null,
      refreshWantedSince: wanted.since,
      modules: [{ moduleId: 'm', state: 'present', status: null }],
    });
    expect(seen.modules).toHaveLength(1);
  });

  it('says when it was last checked: by a look of its own, or by a reconcile that found it as the hub is', async () => {
    const [early, late] = ['2026-11-26T08:00:00.000Z', '2026-11-26T09:45:00.000Z'];
    const checked = async (more: Partial<MirrorRow>) => (await view([rowOf('d', more)], 'd')).checkedAt;
    expect(await checked({ updatedAt: early, checkedAt: early })).toBe(RECONCILED);
    expect(await checked({ updatedAt: early, checkedAt: late })).toBe(late);
    // It was newer, and left alone.
    expect(await checked({ updatedAt: late, checkedAt: early })).toBe(early);
    expect(await checked({ hub: 'b', updatedAt: early, checkedAt: early })).toBe(early);
  });

  it('that was deleted says since when', async () => {
    expect(await view([rowOf('d', { state: 'deleted', deletedAt: AT })], 'd')).toMatchObject({
      state: 'deleted',
      deletedAt: AT,
    });
  });

  it('that was made again is not deleted', async () => {
    expect(await view([rowOf('d', { deletedAt: AT })], 'd')).toMatchObject({ state: 'present', deletedAt: null });
  });

  it('of which only a module is known is unknown itself', async () => {
    expect(await view([rowOf('d', { moduleId: 'm' })], 'd')).toMatchObject({
      hub: 'a',
      state: 'unknown',
      status: null,
      modules: [{ moduleId: 'm', state: 'present' }],
    });
  });

  it('is that of the hub that is named, or of the only one where it is', async () => {
    const [inA, inB] = [rowOf('d'), rowOf('d', { hub: 'b' })];
    expect(await view([inA, inB], 'd', 'b')).toMatchObject({ hub: 'b' });
    expect(await view([inB], 'd')).toMatchObject({ hub: 'b' });
    // As after a move to another hub.
    expect(await view([{ ...inA, state: 'deleted' }, inB], 'd')).toMatchObject({ hub: 'b', state: 'present' });
    await expect(view([inA, inB], 'd')).rejects.toMatchObject({
      code: 'deviceInSeveral',
      message: 'The hubs a, b each have a device d.',
    });
  });

  it('that is in no hub is refused by its name', async () => {
    await expect(view([rowOf('d')], 'D')).rejects.toMatchObject({
      code: 'deviceUnknown',
      message: 'The mirror has no device D.',
    });
    // No hub takes such an id.
    await expect(view([rowOf('d')], 'a b/c')).rejects.toMatchObject({ code: 'deviceUnknown' });
    await expect(view([rowOf('d')], 'd', 'b')).rejects.toMatchObject({ code: 'deviceUnknown' });
  });
});
