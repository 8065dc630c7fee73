import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { withHub } from '../hubClient.ts';

it('a data folder from before twins had configurations is taken over', async () => {
  const data = await mkdtemp(join(tmpdir(), 'hub-older-'));
  try {
    await withHub({ data }, async (client) => {
      await client.call('PUT', '/devices/d1', { body: { deviceId: 'd1' } });
    });
    const database = new DatabaseSync(join(data, 'registry.sqlite'));
    database.exec('DROP INDEX identitiesByConfigurations; ALTER TABLE identities DROP COLUMN configurations;');
    database.close();
    await withHub({ data }, async (client) => {
      const content = { deviceContent: { 'properties.desired.c': 1 } };
      const { body } = await client.call('PUT', '/configurations/c1', {
        body: { id: 'c1', content, targetCondition: '*' },
      });
      expect(body.systemMetrics.results).toEqual({ targetedCount: 1, appliedCount: 1 });
      expect((await client.call('GET', '/twins/d1')).body.properties.desired.c).toBe(1);
    });
  } finally {
    await rm(data, { recursive: true });
  }
});
