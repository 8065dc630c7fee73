import { gzipSync } from 'node:zlib';

import { expect, it } from 'vitest';

import { generateDevices } from '../../src/lib/devicesFile/generate.ts';
import { csvOf } from '../helpers/csvOf.ts';
import { NOW, type TestStack, withStack } from '../helpers/stack.ts';

const COUNT = 500;

/** All devices and twins, over plain REST, without what differs from one making to the next. */
async function registry(stack: TestStack): Promise<unknown[]> {
  const identities = (await stack.rest('GET', '/devices?top=1000')).body as Record<string, unknown>[];
  const twins = new Map((await stack.twins()).map((twin) => [twin['deviceId'], twin]));
  return identities
    .map(({ generationId: _, etag: _e, statusUpdatedTime: _s, ...identity }) => {
      const twin = twins.get(identity['deviceId']) as Twin | undefined;
      const { $metadata: _m, $version: _v, ...desired } = twin?.properties.desired ?? {};
      return { id: String(identity['deviceId']), identity, tags: twin?.tags, desired };
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

interface Twin {
  readonly tags?: object;
  readonly properties: { readonly desired: Record<string, unknown> };
}

it('the same devices as lines, as CSV, as compressed CSV and as failed-devices.txt make the same registry', async () => {
  await withStack({}, async (stack) => {
    const lines = [...generateDevices({ count: COUNT, seed: 'csv' })];
    const devices = lines.map((line, index) => {
      const { importMode: _, ...device } = JSON.parse(line) as Record<string, unknown>;
      const tags = {
        ...(device['tags'] as object),
        name: `N° ${index}; "é"\n,`,
        code: `00${index}`,
        on: index % 2 === 0,
      };
      return { ...device, importMode: 'create', tags };
    });
    const ids = devices.map((device) => (device as unknown as { id: string }).id);
    const empty = async (name: string): Promise<void> => {
      const deletes = `id,importMode\n${ids.map((id) => `${id},delete\n`).join('')}`;
      const confirm = /HostName=([^;]+)/.exec(stack.connectionString)?.[1] ?? '';
      await stack.drop(`${name}/devices.csv`, deletes, { ...NOW, confirm });
      expect(await stack.finalRecord(`${name}/devices.csv`)).toMatchObject({
        state: 'completed',
        outcomes: { succeeded: COUNT },
      });
      expect(await stack.deviceIds()).toEqual([]);
    };
    const fill = async (blobName: string, content: string | Buffer): Promise<unknown[]> => {
      await stack.drop(blobName, content, NOW);
      expect(await stack.finalRecord(blobName)).toMatchObject({ state: 'completed', outcomes: { succeeded: COUNT } });
      return registry(stack);
    };

    const fromLines = await fill('lines/devices.txt', devices.map((device) => `${JSON.stringify(device)}\n`).join(''));
    expect(fromLines).toHaveLength(COUNT);
    expect(fromLines[1]).toMatchObject({ tags: { code: '001', on: false } });
    await empty('empty-1');
    expect(await fill('plain/devices.csv', csvOf(devices, { newline: '\r\n' }))).toEqual(fromLines);

    // Every device is there by now: all fail, and what failed can be dropped again, as lines.
    await stack.drop('again/devices.csv', csvOf(devices));
    const again = await stack.finalRecord('again/devices.csv');
    expect(again.outcomes).toMatchObject({ failed: COUNT });
    await empty('empty-2');
    const failed = await stack.read('provision-results', again.report?.failedDevices ?? '');
    expect(await fill('failed/failed-devices.txt', failed)).toEqual(fromLines);

    await empty('empty-3');
    const zipped = gzipSync(csvOf(devices, { delimiter: ';' }));
    expect(await fill('zipped/devices.csv.gz', zipped)).toEqual(fromLines);

    // Rejected rows come back under their header.
    await stack.drop(
      'mixed/devices.csv',
      'id;importMode;tags.site\r\nnew-1;create;"a;b"\r\nnew/2;create;"c;\r\nd"\r\n',
    );
    const mixed = await stack.finalRecord('mixed/devices.csv');
    expect(mixed.outcomes).toMatchObject({ succeeded: 1, rejected: 1 });
    expect(mixed.report?.rejectedLines).toMatch(/\/rejected-lines\.csv$/);
    const rejected = await stack.read('provision-results', mixed.report?.rejectedLines ?? '');
    expect(rejected).toBe('id;importMode;tags.site\r\nnew/2;create;"c;\r\nd"\r\n');
    expect((await stack.rows(mixed)).map(({ line, outcome }) => [line, outcome])).toEqual([
      ['2', 'succeeded'],
      ['3', 'rejected'],
    ]);
    await stack.drop('mended/devices.csv', rejected.replace('new/2', 'new-2'));
    expect(await stack.finalRecord('mended/devices.csv')).toMatchObject({ outcomes: { succeeded: 1 } });
    expect((await stack.rest('GET', '/twins/new-2')).body).toMatchObject({ tags: { site: 'c;\r\nd' } });

    await stack.drop('bad/devices.csv', 'id,tags.a\na,"b\n');
    expect(await stack.finalRecord('bad/devices.csv')).toMatchObject({
      state: 'refused',
      error: { code: 'csvQuotes' },
    });
  });
});
