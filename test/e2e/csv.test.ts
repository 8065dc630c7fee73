import { gzipSync } from 'node:zlib';

import { afterAll, expect, it } from 'vitest';

import { generateDevices } from '../../src/lib/devicesFile/generate.ts';
import { csvOf } from '../helpers/csvOf.ts';
import { NOW, shareStack, type TestStack } from '../helpers/stack.ts';
import { readRegistry } from '../scenarios/readRegistry.ts';

const shared = shareStack({});
afterAll(() => shared.stop());

/** More than are read one by one, and than one call takes. */
const COUNT = 1_000;

/** Everything in the registry but what differs from one making to the next. */
function registry(stack: TestStack): unknown[] {
  return [...readRegistry(stack.data)]
    .map(([id, { generationId: _, eTag: _e, ...identity }]) => ({ id, ...identity }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

it('the same devices as lines, as CSV, as compressed CSV and as failed-devices.txt make the same registry', {
  timeout: 300_000,
}, async () => {
  await shared.use(async (stack) => {
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
    const hub = (method: string, path: string, body?: unknown) =>
      fetch(`${stack.hubAdminUrl}${path}`, {
        method,
        ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      });
    const reset = async () => expect((await hub('POST', '/reset', { what: ['registry'] })).ok).toBe(true);
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
    await empty('empty');

    // A tenth is refused, in a job and in each other way; what failed is dropped again once the hub takes it.
    for (const operation of ['importLine', 'bulkItem', 'putDevice']) {
      expect((await hub('POST', '/faults', { operation, code: 'ArgumentInvalid', idPattern: '7$' })).ok).toBe(true);
    }
    await stack.drop('partly/devices.txt', devices.map((device) => `${JSON.stringify(device)}\n`).join(''));
    const partly = await stack.finalRecord('partly/devices.txt');
    expect(partly.outcomes).toMatchObject({ succeeded: COUNT * 0.9, failed: COUNT * 0.1 });
    await hub('DELETE', '/faults');
    await stack.drop('rest/devices.txt', await stack.read('provision-results', partly.report?.failedDevices ?? ''));
    expect(await stack.finalRecord('rest/devices.txt')).toMatchObject({
      state: 'completed',
      outcomes: { succeeded: COUNT * 0.1 },
    });
    expect(registry(stack)).toEqual(fromLines);
    await reset();
    expect(await fill('plain/devices.csv', csvOf(devices, { newline: '\r\n' }))).toEqual(fromLines);

    // Every device is there by now: all fail, and what failed can be dropped again, as lines.
    await stack.drop('again/devices.csv', csvOf(devices));
    const again = await stack.finalRecord('again/devices.csv');
    expect(again.outcomes).toMatchObject({ failed: COUNT });
    await reset();
    const failed = await stack.read('provision-results', again.report?.failedDevices ?? '');
    expect(await fill('failed/failed-devices.txt', failed)).toEqual(fromLines);

    await reset();
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
    await stack.drop('fixed/devices.csv', rejected.replace('new/2', 'new-2'));
    expect(await stack.finalRecord('fixed/devices.csv')).toMatchObject({ outcomes: { succeeded: 1 } });
    expect((await stack.rest('GET', '/twins/new-2')).body).toMatchObject({ tags: { site: 'c;\r\nd' } });

    await stack.drop('bad/devices.csv', 'id,tags.a\na,"b\n');
    expect(await stack.finalRecord('bad/devices.csv')).toMatchObject({
      state: 'refused',
      error: { code: 'csvQuotes' },
    });
  });
});

it('what a column holds arrives as it is written, and what is to be said of columns stands in record and report', {
  timeout: 120_000,
}, async () => {
  await shared.use(async (stack) => {
    const deep = `"{""x"":${'['.repeat(6000)}${']'.repeat(6000)}}"`;
    const rows = [
      'id;tags.fw;tags.serial;Standort;tags.more;',
      'fw-1;1.10;00042;M\u00fcnchen;"{""n"":1.0,""10"":1,""2"":2}";',
      'fw-2;1.1;42;K\u00f6ln;;',
      `deep;;;;${deep};`,
      'fw-3;2.00;24.12.2025;;"{""n"":6.02e23,"""":""empty""}";',
    ];
    await stack.drop('mixed/devices.csv', `\ufeff${rows.join('\r\n')}\r\n`, NOW);
    const record = await stack.finalRecord('mixed/devices.csv');
    expect(record).toMatchObject({
      state: 'completedWithFailures',
      outcomes: { succeeded: 3, succeededWithWarning: 0, rejected: 1 },
      check: {
        warnings: 3,
        fileWarnings: [
          { line: 1, code: 'unknownColumn', message: expect.stringContaining('Column 4 "Standort"') },
          { line: 1, code: 'mixedColumn', message: expect.stringContaining('Column 2 "tags.fw" mixes types') },
          { line: 1, code: 'mixedColumn', message: expect.stringContaining('Column 3 "tags.serial" mixes types') },
        ],
      },
    });
    const report = JSON.parse(await stack.read('provision-results', record.report?.json ?? ''));
    expect(report.input.fileWarnings).toEqual(record.check?.fileWarnings);
    expect(report.lines).toMatchObject([{ line: 4, deviceId: 'deep', code: 'nestedTooDeep' }]);
    const tags = new Map([...readRegistry(stack.data)].map(([id, identity]) => [id, identity.tags]));
    expect(tags.get('fw-1')).toEqual({ fw: '1.10', serial: '00042', more: { n: 1, 10: 1, 2: 2 } });
    expect(tags.get('fw-2')).toEqual({ fw: 1.1, serial: 42 });
    expect(tags.get('fw-3')).toEqual({ fw: '2.00', serial: '24.12.2025', more: { n: 6.02e23, '': 'empty' } });

    const key = Buffer.alloc(32, 5).toString('base64');
    await stack.drop('keys/devices.csv', `id,primaryKey,secondaryKey,site\nw1,${key},${key},faro\n`, NOW);
    const refused = await stack.finalRecord('keys/devices.csv');
    expect(refused).toMatchObject({ state: 'refused', error: { code: 'csvKeyColumn' } });
    expect(JSON.stringify(refused)).not.toContain(key);
    expect(readRegistry(stack.data).has('w1')).toBe(false);

    // What a hub says of a line that creates is no reason to create the device first.
    const fault = { operation: 'importLine', code: 'DeviceNotFound', idPattern: '^lost$' };
    await fetch(`${stack.hubAdminUrl}/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(fault),
    });
    await stack.drop('lost/devices.csv', 'id,importMode\nlost,create\n', NOW);
    const lost = await stack.finalRecord('lost/devices.csv');
    expect(JSON.parse(await stack.read('provision-results', lost.report?.json ?? '')).lines).toMatchObject([
      {
        deviceId: 'lost',
        outcome: 'failed',
        code: 'DeviceNotFound',
        reason: expect.stringContaining('the line creates it'),
      },
    ]);
  });
});
