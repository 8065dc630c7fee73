import { beforeEach, describe, expect, it } from 'vitest';

import { createBackupChecks } from '../../../src/lib/backup/backupChecks.ts';
import { createLogger } from '../../../src/lib/logger.ts';
import { BACKUPS_CONTAINER } from '../../../src/lib/storage/storage.ts';
import { startAzurite } from '../../helpers/azurite.ts';
import { measured } from '../../helpers/measured.ts';
import { testContext } from '../../helpers/provisioningContext.ts';
import { putBackup } from './sampleBackup.ts';

const HOUR_MS = 60 * 60_000;
const DAILY = '0 0 2 * * *';

let storage: ReturnType<typeof testContext>['storage'];
let now: Date;
let logged: string[];
const log = createLogger((level, message) => logged.push(`${level} ${message}`));
/** An app that has just started. */
const checks = (schedule: string | undefined = DAILY) =>
  createBackupChecks({ storage, hubs: ['a', 'b'], schedule, now: () => now });
const later = (hours: number) => {
  now = new Date(now.getTime() + hours * HOUR_MS);
};

beforeEach(async () => {
  storage = testContext((await startAzurite()).connectionString).storage;
  now = new Date('2026-11-20T12:00:00Z');
  logged = [];
});

describe('backups of an app', () => {
  it('are measured by their age; where none is good, by how long they have been scheduled; without a schedule not', async () => {
    await checks().check(log);
    later(36);
    await putBackup(storage, 'b/2026/11/21T020000Z');
    const ages = (found: Awaited<ReturnType<typeof measured>>) =>
      found.map(([name, value, attributes]) => [name, value / 3600, attributes]);
    expect(ages(await measured(() => checks().check(log)))).toEqual([
      ['hubkeeper.backup.age', 36, { hub: 'a' }],
      ['hubkeeper.backup.age', 22, { hub: 'b' }],
    ]);
    const onDemand = createBackupChecks({ storage, hubs: ['a', 'b'], schedule: undefined, now: () => now });
    expect(ages(await measured(() => onDemand.check(log)))).toEqual([['hubkeeper.backup.age', 22, { hub: 'b' }]]);
  });

  it('that is new are not overdue until two have failed, whatever else is restarted', async () => {
    expect(await checks().check(log)).toEqual(
      ['a', 'b'].map((hub) => ({ hub, nextRun: '2026-11-21T02:00:00.000Z', overdue: false })),
    );
    later(36);
    await putBackup(storage, 'b/2026/11/21T020000Z');
    const [a, b] = await checks().check(log);
    expect([a?.overdue, b?.overdue, b?.lastGood]).toEqual([false, false, 'b/2026/11/21T020000Z']);
    expect(logged).toEqual([]);
    later(6);
    const [overdue, fine] = await checks().check(log);
    expect(overdue).toMatchObject({ hub: 'a', overdue: true, problem: expect.stringContaining('no good backup') });
    expect(fine).toMatchObject({ hub: 'b', overdue: false });
  });

  it('in a container that keeps what it has have their time from the first schedule, once it was changed', async () => {
    await checks().check(log);
    later(72);
    const known = storage;
    const container: typeof known.container = (name) => {
      const immutable = known.container(name);
      const open = immutable.getBlockBlobClient.bind(immutable);
      immutable.getBlockBlobClient = (blobName) => {
        const blob = open(blobName);
        blob.upload = () =>
          Promise.reject(Object.assign(new Error('kept'), { statusCode: 409, code: 'BlobImmutableDueToPolicy' }));
        return blob;
      };
      return immutable;
    };
    storage = { ...known, container };
    const [a] = await checks('0 0 3 * * *').check(log);
    expect(a).toMatchObject({ hub: 'a', overdue: true });
  });

  it('have their time from when the schedule was written where that is in the archive tier', async () => {
    await checks().check(log);
    for (const hub of ['a', 'b']) {
      await storage.container(BACKUPS_CONTAINER).getBlockBlobClient(`${hub}/schedule.json`).setAccessTier('Archive');
    }
    // It was written by the clock of storage, whatever the time is here.
    now = new Date();
    expect((await checks().check(log)).map(({ overdue }) => overdue)).toEqual([false, false]);
    later(72);
    expect((await checks().check(log)).map(({ overdue }) => overdue)).toEqual([true, true]);
  });

  it('that are overdue are warned of once an hour, however often is asked', async () => {
    const app = checks();
    await app.check(log);
    later(72);
    for (let minute = 0; minute < 59; minute += 1) {
      await app.check(log);
      later(1 / 60);
    }
    expect(logged).toHaveLength(2);
    later(1);
    await app.check(log);
    expect(logged).toHaveLength(4);
    expect(logged[0]).toMatch(/^warn The hub a has no good backup/);
  });

  it('have their time from when the schedule was changed, and are never overdue without one', async () => {
    await checks().check(log);
    later(240);
    const overdue = async (schedule?: string) => (await checks(schedule).check(log)).some((one) => one.overdue);
    expect(await overdue()).toBe(true);
    expect(await overdue('0 0 3 * * *')).toBe(false);
    later(48);
    expect(await overdue('0 0 3 * * *')).toBe(true);
    const without = createBackupChecks({ storage, hubs: ['a'], schedule: undefined, now: () => now });
    expect(await without.check(log)).toEqual([{ hub: 'a', overdue: false }]);
  });
});
