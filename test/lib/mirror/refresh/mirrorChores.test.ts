import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { readWantedReconcile, wantReconcile } from '../../../../src/lib/mirror/notes/wantedReconcile.ts';
import { noteEndingRun } from '../../../../src/lib/mirror/refresh/endedRuns.ts';
import { doMirrorChores, type MirrorChores } from '../../../../src/lib/mirror/refresh/mirrorChores.ts';
import type { RefreshContext } from '../../../../src/lib/mirror/refresh/refreshContext.ts';
import type { RunBase } from '../../../../src/lib/runs/runRecord.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { createMemoryMirrorStore, type MemoryMirrorStore } from '../../../helpers/memoryMirrorStore.ts';
import { type TestContext, testContext } from '../../../helpers/provisioningContext.ts';

let azurite: Azurite;
let context: TestContext;
let store: MemoryMirrorStore;
let done: string[];
const at = '2026-11-20T02:00:00.000Z';

beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());
beforeEach(() => {
  const hub = 'HostName=127.0.0.1:1;SharedAccessKeyName=a;SharedAccessKey=YQ==;UseDevelopmentEmulator=true';
  context = testContext(azurite.connectionString, { environment: { IOTHUB__east: hub, IOTHUB__west: hub } });
  store = createMemoryMirrorStore();
  done = [];
});

function chores(some: Partial<MirrorChores> = {}, now = () => new Date('2026-11-20T02:01:00.000Z')): Promise<void> {
  return doMirrorChores({ ...context, store, now } as unknown as RefreshContext, {
    startRefresh: async (hub) => {
      done.push(`refresh ${hub}`);
    },
    startReconcile: async (hub) => {
      done.push(`reconcile ${hub}`);
      return { createdAt: at };
    },
    replayParked: async () => [],
    dropOldLetters: async () => {
      done.push('old letters');
    },
    ...some,
  });
}
const want = (hub: string) =>
  store.put({
    hub,
    deviceId: 'd1',
    state: 'unknown',
    updatedAt: at,
    changes: [],
    wanted: { since: at, due: '2999-01-01T00:00:00.000Z' },
  });

describe('the chores of the mirror', () => {
  it('are none when nothing waits', async () => {
    await chores();
    expect(done).toEqual([]);
  });

  it('begin refreshes where rows wait, runs have ended, or parked events have been applied', async () => {
    want('west');
    await noteEndingRun(context.storage, {
      kind: 'provision',
      runId: 'a'.repeat(20),
      hub: 'east',
    } as unknown as RunBase);
    await chores({ replayParked: async () => ['default'] });
    expect(done.sort()).toEqual(['refresh default', 'refresh east', 'refresh west']);
    await context.storage
      .container('hubkeeper-mirror')
      .getBlockBlobClient(`runs/${'a'.repeat(20)}`)
      .delete();
  });

  it('begin a reconcile that is asked for; its note goes with one that began since', async () => {
    await wantReconcile(context.storage, { hub: 'east', reason: 'offsets were refused', at });
    await chores({ startReconcile: async () => ({ createdAt: '2026-11-20T01:59:59.999Z' }) });
    expect(await readWantedReconcile(context.storage, 'east')).toBeDefined();
    await chores();
    expect(done).toEqual(['reconcile east']);
    expect(await readWantedReconcile(context.storage, 'east')).toBeUndefined();
  });

  it('remove old dead letters once an hour', async () => {
    for (const minute of ['59:30', '00:00', '01:00']) {
      await chores({}, () => new Date(`2026-11-20T03:${minute}.000Z`));
    }
    expect(done).toEqual(['old letters']);
  });

  it('do not hold up each other', async () => {
    await wantReconcile(context.storage, { hub: 'east', reason: 'offsets were refused', at });
    for (const hub of ['east', 'west']) want(hub);
    const fails = async (): Promise<never> => {
      throw new Error('no way');
    };
    await chores({
      startReconcile: fails,
      replayParked: fails,
      startRefresh: async (hub) => {
        if (hub === 'east') await fails();
        done.push(hub);
      },
    });
    expect(done).toEqual(['west']);
    expect(context.logged.filter((line) => line.includes('for the next time: no way'))).toHaveLength(3);
    expect(await readWantedReconcile(context.storage, 'east')).toBeDefined();
  });
});
