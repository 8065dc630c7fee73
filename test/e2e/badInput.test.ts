import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { NOW, type TestStack, withStack } from '../helpers/stack.ts';

const KEY = 'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=';

let stack: TestStack;
let release: () => void;
let ended: Promise<void>;

// One stack for all cases: each has a drop of its own.
beforeAll(async () => {
  await new Promise<void>((ready, failed) => {
    ended = withStack({ unkind: false }, async (started) => {
      stack = started;
      await new Promise<void>((resolve) => {
        release = resolve;
        ready();
      });
    });
    ended.catch(failed);
  });
});
afterAll(async () => {
  release();
  await ended;
});

describe('a file that is no devices file is refused as a whole, with what to do', () => {
  const good = '{"id":"whole-1","importMode":"create"}\n';
  const cases: { name: string; content: string | Buffer; code: string; says: RegExp }[] = [
    { name: 'empty', content: '', code: 'empty', says: /empty/i },
    { name: 'blank', content: '\n\r\n\n', code: 'empty', says: /empty|blank|no line/i },
    {
      name: 'binary',
      content: Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7) % 256)),
      code: 'binary',
      says: /text/i,
    },
    { name: 'utf16', content: Buffer.from(`\uFEFF${good}`, 'utf16le'), code: 'utf16', says: /UTF-16/ },
    {
      name: 'truncated-gzip',
      content: gzipSync(good.repeat(500)).subarray(0, 40),
      code: 'gzipTruncated',
      says: /gzip|compressed/i,
    },
  ];
  it.each(cases)('$name', async ({ name, content, says }) => {
    await stack.drop(`whole-${name}/devices.txt`, content);
    const record = await stack.finalRecord(`whole-${name}/devices.txt`);
    expect(record.state).toBe('refused');
    expect(record.error?.message).toMatch(says);
    expect(record.error?.action).toBeTruthy();
    expect(record.jobs.import).toBeUndefined();
  });
});

describe('a line that is wrong is rejected by number, code and reason, and the rest is imported', () => {
  const keys = { symmetricKey: { primaryKey: KEY, secondaryKey: KEY } };
  const deep = (depth: number): unknown => (depth === 0 ? 1 : { a: deep(depth - 1) });
  const lines: { line: object | string; code: string | undefined }[] = [
    { line: { id: 'ok-1', importMode: 'create' }, code: undefined },
    { line: { id: 'ok-1', importMode: 'create' }, code: 'duplicate' },
    { line: { id: 'x2', importMode: 'upsert' }, code: 'importModeUnknown' },
    { line: { id: 'i'.repeat(129), importMode: 'create' }, code: 'idTooLong' },
    {
      line: { id: 'x4', importMode: 'create', authentication: { symmetricKey: { primaryKey: KEY } } },
      code: 'oneKeyOnly',
    },
    {
      line: {
        id: 'x5',
        importMode: 'create',
        authentication: { type: 'selfSigned', x509Thumbprint: { primaryThumbprint: `${'AB:'.repeat(19)}AB` } },
      },
      code: 'thumbprintSeparators',
    },
    {
      line: {
        id: 'x6',
        importMode: 'create',
        tags: { a: 'x'.repeat(3000), b: 'x'.repeat(3000), c: 'x'.repeat(3000) },
      },
      code: 'tagsTooLarge',
    },
    { line: { id: 'x7', importMode: 'create', tags: deep(12) }, code: 'twinTooDeep' },
    { line: '{"id":"x8",', code: 'badJson' },
    {
      line: { id: 'x9', status: 'enabled', authentication: { type: 'sas', ...keys }, importMode: 'createOrUpdate' },
      code: undefined,
    },
    { line: { id: 'x11', importMode: 'deleteIfMatchETag' }, code: 'etagMissing' },
  ];

  it('each by its own reason', async () => {
    await stack.drop(
      'lines/devices.txt',
      lines.map(({ line }) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
    );
    const record = await stack.finalRecord('lines/devices.txt');
    const rows = await stack.rows(record);
    const byLine = new Map(rows.map((row) => [Number(row.line), row]));
    expect(
      lines.map((_, index) => ({
        line: index + 1,
        outcome: byLine.get(index + 1)?.outcome,
        code: byLine.get(index + 1)?.code || undefined,
      })),
    ).toEqual(
      lines.map(({ code }, index) => ({
        line: index + 1,
        outcome: code === undefined ? 'succeeded' : 'rejected',
        code,
      })),
    );
    expect(byLine.get(2)?.reason).toContain('line 1');
    expect(rows.filter(({ outcome, action }) => outcome === 'rejected' && action === '')).toEqual([]);
    expect(byLine.get(2)).toMatchObject({ action: 'Keep one of the two.' });
    expect(JSON.stringify(rows)).not.toContain(KEY);
    expect((await stack.rest('GET', '/devices/ok-1')).status).toBe(200);
    expect((await stack.rest('GET', '/devices/x10')).status).toBe(404);
  });

  it('ids that a spreadsheet would take for a formula stand behind an apostrophe in the report, and come back', async () => {
    const ids = ['=1+1', '@a', '-b', '+c', "'d", 'e;=1'];
    await stack.drop('formula/devices.txt', ids.map((id) => `${JSON.stringify({ id })}\n`).join(''));
    const record = await stack.finalRecord('formula/devices.txt');
    expect(record.outcomes).toMatchObject({ succeeded: 4, succeededWithWarning: 2 });
    const csv = await stack.read('provision-results', record.report?.csv ?? '');
    expect(csv.split('\n').map((row) => row.split(',')[1])).toEqual([
      'deviceId',
      ...["'=1+1", "'@a", "'-b", "'+c", "''d", "e;'=1"],
      undefined,
    ]);
    expect((await stack.rows(record)).map(({ deviceId }) => deviceId)).toEqual(ids);
  });

  it('ten thousand of them at once', async () => {
    const text = Array.from({ length: 10_000 }, (_, i) =>
      i === 5_000 ? '{"id":"lonely","importMode":"create"}' : `{"id":"b ${i}"}`,
    );
    await stack.drop('many/devices.txt', text.join('\n'));
    const record = await stack.finalRecord('many/devices.txt');
    expect(record).toMatchObject({ state: 'completedWithFailures', outcomes: { succeeded: 1, rejected: 9_999 } });
    expect(await stack.rows(record)).toHaveLength(10_000);
    const report = JSON.parse(await stack.read('provision-results', record.report?.json ?? '')) as {
      lines: unknown[];
      linesNotListed: number;
    };
    expect(report.lines.length + report.linesNotListed).toBe(9_999);
  });

  it('a line of 200 MB among others', async () => {
    const long = Buffer.concat([
      Buffer.from('{"id":"before","importMode":"create"}\n{"id":"'),
      Buffer.alloc(200 * 1024 * 1024, 'x'),
      Buffer.from('"}\n{"id":"after","importMode":"create"}\n'),
    ]);
    await stack.drop('long/devices.txt', long);
    const record = await stack.finalRecord('long/devices.txt');
    expect(record.outcomes).toMatchObject({ succeeded: 2, rejected: 1 });
    expect((await stack.rows(record)).find(({ outcome }) => outcome === 'rejected')).toMatchObject({
      line: '2',
      code: 'lineTooLong',
    });
  });
});

describe('options that cannot be taken refuse the run', () => {
  const good = '{"id":"opt-1","importMode":"create"}\n';
  it.each([
    { name: 'no-json', text: '{"dryRun": tru', says: /options\.json is not valid JSON/ },
    { name: 'unknown', text: '{"dryrunn": true}', says: /unknown option "dryrunn"/ },
    { name: 'wrong', text: '{"maxRejects": -3}', says: /maxRejects must be/ },
  ])('$name options.json', async ({ name, text, says }) => {
    await stack.drop(`options-${name}/options.json`, text, {});
    await stack.drop(`options-${name}/devices.txt`, good, {});
    const record = await stack.finalRecord(`options-${name}/devices.txt`);
    expect(record).toMatchObject({ state: 'refused' });
    expect(record.error?.message).toMatch(says);
    expect(record.error?.message).toContain('options.json');
  });

  it('unknown metadata', async () => {
    await stack.drop('options-meta/devices.txt', good, { dryrunn: 'true' });
    const record = await stack.finalRecord('options-meta/devices.txt');
    expect(record).toMatchObject({ state: 'refused', error: { code: 'optionsInvalid' } });
  });

  it('a hub that is meant and not configured', async () => {
    await stack.drop('west/devices.txt', good, { ...NOW, hub: 'west' });
    const record = await stack.finalRecord('west/devices.txt');
    expect(record).toMatchObject({ state: 'refused', error: { code: 'hubUnknown' } });
    expect(record.error?.message).toContain('"west"');
  });

  it('onInvalidLine abort and maxRejects stop a file before its job', async () => {
    const text = `${good}bad line\n`;
    await stack.drop('abort/devices.txt', text, { ...NOW, oninvalidline: 'abort' });
    await stack.drop('rejects/devices.txt', text, { ...NOW, maxrejects: '0' });
    for (const [name, code] of [
      ['abort', 'invalidLines'],
      ['rejects', 'tooManyRejects'],
    ] as const) {
      const record = await stack.finalRecord(`${name}/devices.txt`);
      expect(record).toMatchObject({
        state: 'refused',
        error: { code },
        outcomes: { rejected: 1, skipped: 1, succeeded: 0 },
      });
    }
    expect((await stack.rest('GET', '/devices/opt-1')).status).toBe(404);
  });
});
