import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkDevicesFile, FileRefused } from '../../../src/lib/devicesFile/checkDevicesFile.ts';
import { FILE_REASONS, type FileRefusedCode } from '../../../src/lib/textFile/fileReasons.ts';
import { CREATE, checkText, chunksOf, DEFAULTS, line, wholeDevice } from './checkText.ts';

const SINK = {
  device: () => undefined,
  module: () => undefined,
  rejected: () => undefined,
  skipped: () => undefined,
  warning: () => undefined,
  drain: () => undefined,
};

/** The start of a zip archive: the header of its first file, not compressed. */
function zipOf(name: string, content = '<xml/>'): Buffer {
  const header = Buffer.alloc(30);
  header.write('PK\u0003\u0004', 'latin1');
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, Buffer.from(name + content)]);
}

/** A bit of everything, in few bytes. */
const MIXED = Buffer.concat([
  Buffer.from('\ufeffkeys were left out\r\n\r\n'),
  Buffer.from(line({ id: 'd1', status: 'enabled', tags: { city: 'K\u00f6ln \ud83d\ude00' } })),
  Buffer.from('   \t \n{"id":"d2"}\r\n'),
  Buffer.from('{"id":"d3","tags":{"a":"\xff"}}\n', 'latin1'),
  Buffer.from('{"id":"d4",}\n{"id":"d1","status":"disabled"}\n'),
  Buffer.from(`{"id":"d5","tags":{"a":"${'x'.repeat(120)}"}}\n`),
  Buffer.from('{"id":"d2","moduleId":"m"}\n{"id":"d2","moduleId":"$edgeHub"}\n'),
  Buffer.from('{"Id":"d6","status":"Enabled"}'),
]);

describe('a file as a whole', () => {
  it('has every line in exactly one outcome, and counts what it handed out', async () => {
    const { summary, accepted, rejected, skipped, warnings } = await checkText(MIXED, { ...CREATE, maxLineBytes: 100 });
    expect(accepted.map(({ line, id, moduleId }) => [line, id, moduleId])).toEqual([
      [3, 'd1', undefined],
      [5, 'd2', undefined],
      [10, 'd2', 'm'],
      [12, 'd6', undefined],
    ]);
    expect(rejected.map(({ line, code }) => [line, code])).toEqual([
      [6, 'badUtf8'],
      [7, 'badJson'],
      [8, 'duplicate'],
      [9, 'lineTooLong'],
    ]);
    expect(skipped.map(({ line }) => line)).toEqual([1, 11]);
    expect(warnings.map(({ line, code }) => [line, code])).toEqual([
      [1, 'byteOrderMark'],
      [12, 'keyCase'],
    ]);
    expect(summary).toEqual({
      lines: 10,
      blankLines: 2,
      bytes: MIXED.length,
      devices: 3,
      modules: 1,
      rejected: 4,
      skipped: 2,
      warnings: 2,
      fileWarnings: [warnings[0]],
      byMode: { create: 4 },
      sha256: createHash('sha256').update(MIXED).digest('hex'),
    });
  });

  it('hands on lines without the blanks around them', async () => {
    const { accepted } = await checkText('  {"id":"a","importMode":"create","status":"enabled"}\t \r\n{"id":"b"} \r\n');
    expect(accepted.map(({ text }) => text)).toEqual([
      '{"id":"a","importMode":"create","status":"enabled"}',
      '{"importMode":"create",\t"status":"enabled","id":"b"}',
    ]);
  });

  it('is the same however it is cut into chunks', async () => {
    const options = { ...CREATE, maxLineBytes: 100 };
    const { passes: _, ...whole } = await checkText(MIXED, options);
    for (let size = 1; size <= MIXED.length; size += 1) {
      const { passes: _passes, ...cut } = await checkText(MIXED, options, size);
      expect(cut, `chunks of ${size} bytes`).toEqual(whole);
    }
  });

  it('is the same with gzip, whatever its name, however it is cut', async () => {
    const zipped = gzipSync(MIXED);
    const { summary: plain, passes: _p, ...whole } = await checkText(MIXED);
    for (const size of [1, 2, 3, 7, 64, zipped.length]) {
      const { summary, passes: _q, ...rest } = await checkText(zipped, CREATE, size);
      expect(rest).toEqual(whole);
      expect(summary).toEqual({
        ...plain,
        bytes: zipped.length,
        sha256: createHash('sha256').update(zipped).digest('hex'),
      });
    }
  });

  it('may consist of several gzip members', async () => {
    const { summary } = await checkText(
      Buffer.concat([gzipSync(line({ id: 'a' })), gzipSync(line({ id: 'b' }))]),
      CREATE,
      5,
    );
    expect(summary.devices).toBe(2);
  });

  it('is read once unless hashes met', async () => {
    expect((await checkText(line({ id: 'a' }) + line({ id: 'b' }))).passes).toBe(1);
  });

  it('takes 10,000 bad lines, each with its own reason', async () => {
    const bad = ['{"id":"d"', '{"id":5}', 'no', '{"status":"enabled"}', '{"id":"x","status":"?"}'];
    const text = Array.from({ length: 10_000 }, (_, n) => bad[n % bad.length]).join('\n');
    const { summary, rejected } = await checkText(`${line({ id: 'first' })}${text}`);
    expect(summary).toMatchObject({ lines: 10_001, devices: 1, rejected: 10_000 });
    expect(rejected.map(({ line }) => line)).toEqual(Array.from({ length: 10_000 }, (_, n) => n + 2));
    expect(new Set(rejected.map(({ code }) => code)).size).toBe(5);
  });

  it('waits for the sink', async () => {
    const text = Array.from({ length: 5000 }, (_, n) => line(wholeDevice(`d${n}`))).join('');
    let open = 0;
    let most = 0;
    let drains = 0;
    await checkDevicesFile(() => chunksOf(Buffer.from(text), Number.POSITIVE_INFINITY), DEFAULTS, {
      ...SINK,
      device: () => {
        open += 1;
        most = Math.max(most, open);
      },
      drain: async () => {
        await new Promise(setImmediate);
        drains += 1;
        open = 0;
      },
    });
    expect(drains).toBeGreaterThan(4);
    expect(most).toBeLessThan(1200);
  });

  it('stops when aborted, and lets go of its input', async () => {
    const controller = new AbortController();
    let closed = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (let n = 0; ; n += 1) {
          if (n === 10) controller.abort(new Error('stopped by the test'));
          yield Buffer.from(line({ id: `d${n}` }));
        }
      } finally {
        closed = true;
      }
    }
    await expect(checkDevicesFile(endless, { ...CREATE, abortSignal: controller.signal }, SINK)).rejects.toThrow(
      'stopped by the test',
    );
    expect(closed).toBe(true);
  });

  it.each([false, true])('passes on what its input throws (gzip: %s)', async (zipped) => {
    const bytes = Buffer.from(line({ id: 'd' }).repeat(1000));
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield (zipped ? gzipSync(bytes) : bytes).subarray(0, 50);
      throw new Error('connection reset');
    }
    await expect(checkDevicesFile(failing, CREATE, SINK)).rejects.toThrow('connection reset');
  });
});

describe('a file that is refused', () => {
  const devices = Array.from({ length: 60 }, (_, n) => line(wholeDevice(`d${n}`))).join('');
  const zipped = gzipSync(devices);
  const damaged = Buffer.from(zipped);
  damaged[Math.floor(damaged.length / 2)] = (damaged[Math.floor(damaged.length / 2)] ?? 0) ^ 0xff;
  const cases: readonly { name: string; code: FileRefusedCode; bytes: Uint8Array; line?: number }[] = [
    { name: 'no bytes', code: 'empty', bytes: Buffer.alloc(0) },
    { name: 'blank lines only', code: 'empty', bytes: Buffer.from('\r\n  \n\n') },
    { name: 'a byte order mark only', code: 'empty', bytes: Buffer.from('\ufeff') },
    { name: 'gzip of nothing', code: 'empty', bytes: gzipSync('') },
    { name: 'a line of text only', code: 'noDevices', bytes: Buffer.from('hello\n') },
    {
      name: 'UTF-16 with mark',
      code: 'utf16',
      bytes: Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('{"id":"d"}', 'utf16le')]),
    },
    { name: 'UTF-16 without mark', code: 'utf16', bytes: Buffer.from('{"id":"d"}', 'utf16le') },
    { name: 'UTF-16, high byte first', code: 'utf16', bytes: Buffer.from('{"id":"d"}', 'utf16le').swap16() },
    { name: 'a zip file', code: 'otherCompression', bytes: Buffer.from('PK\u0003\u0004rest') },
    { name: 'a zstd file', code: 'otherCompression', bytes: Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0]) },
    {
      name: 'an image',
      code: 'binary',
      bytes: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0]),
      line: 1,
    },
    {
      name: 'zero bytes in the middle',
      code: 'binary',
      bytes: Buffer.concat([Buffer.from(devices), Buffer.alloc(4096)]),
      line: 61,
    },
    { name: 'text of another encoding', code: 'binary', bytes: Buffer.from('Ger\xe4te\n', 'latin1'), line: 1 },
    { name: 'gzip that is cut off', code: 'gzipTruncated', bytes: zipped.subarray(0, zipped.length - 20) },
    { name: 'gzip that is cut off in its header', code: 'gzipTruncated', bytes: zipped.subarray(0, 5) },
    { name: 'gzip that is damaged', code: 'gzipCorrupt', bytes: damaged },
    {
      name: 'gzip with a wrong checksum',
      code: 'gzipCorrupt',
      bytes: Buffer.concat([zipped.subarray(0, -8), Buffer.alloc(4), zipped.subarray(-4)]),
    },
    {
      name: 'gzip with zeros and something behind it',
      code: 'gzipCorrupt',
      bytes: Buffer.concat([zipped, Buffer.alloc(8), zipped]),
    },
    {
      name: 'gzip with something behind it',
      code: 'gzipCorrupt',
      bytes: Buffer.concat([zipped, Buffer.from(devices)]),
    },
    { name: 'gzip in gzip', code: 'gzipTwice', bytes: gzipSync(zipped) },
    ...['[Content_Types].xml', '_rels/.rels', 'xl/workbook.xml', 'docProps/app.xml'].map((name) => ({
      name: `a workbook that starts with ${name}`,
      code: 'workbook' as const,
      bytes: zipOf(name),
    })),
    {
      name: 'a workbook of LibreOffice',
      code: 'workbook',
      bytes: zipOf('mimetype', 'application/vnd.oasis.opendocument.spreadsheet'),
    },
    {
      name: 'a workbook of old Excel',
      code: 'workbook',
      bytes: Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(600)]),
    },
    { name: 'a workbook in gzip', code: 'workbook', bytes: gzipSync(zipOf('xl/workbook.xml')) },
    { name: 'another zip archive', code: 'otherCompression', bytes: zipOf('devices.txt', '{"id":"d"}') },
    { name: 'lines that end in CR', code: 'macLineEnds', bytes: Buffer.from('{"id":"d"}\r{"id":"e"}\r'), line: 1 },
    {
      name: 'lines that end in CR, after one of plain text',
      code: 'macLineEnds',
      bytes: Buffer.from('No keys.\r{"id":"d"}\r\r{"id":"e"}'),
      line: 1,
    },
    { name: 'a JSON array', code: 'jsonArray', bytes: Buffer.from('[\n{"id":"d"},\n{"id":"e"}\n]\n'), line: 1 },
    { name: 'a JSON array on one line', code: 'jsonArray', bytes: Buffer.from('\n[{"id":"d"},{"id":"e"}]'), line: 2 },
    {
      name: 'objects wrapped in an array',
      code: 'jsonArray',
      bytes: Buffer.from('[{"id":"d"},\n{"id":"e"}]\n'),
      line: 1,
    },
    {
      name: 'pretty-printed JSON',
      code: 'prettyPrinted',
      bytes: Buffer.from(JSON.stringify({ id: 'd' }, undefined, 2)),
      line: 1,
    },
    { name: 'CSV', code: 'csv', bytes: Buffer.from('id;status\nd1;enabled\n'), line: 1 },
    { name: 'CSV of a spreadsheet', code: 'csv', bytes: Buffer.from('Device ID;Status\nd1;enabled\n'), line: 1 },
    { name: 'CSV with quotes', code: 'csv', bytes: Buffer.from('"status","DeviceId"\n"enabled","d1"\n'), line: 1 },
  ];

  it.each(cases)('$name: $code', async ({ code, bytes, line }) => {
    for (const size of [1, 3, Number.POSITIVE_INFINITY]) {
      const refused = await checkText(bytes, CREATE, size).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(refused).toBeInstanceOf(FileRefused);
      expect(refused).toMatchObject({
        code,
        line,
        message: expect.stringMatching(/\.$/),
        action: expect.stringMatching(/\S/),
      });
      expect(String((refused as FileRefused).message)).not.toContain('{');
    }
  });

  it.each(cases)('$name: its input is let go of', async ({ bytes }) => {
    let closed = false;
    async function* input(): AsyncGenerator<Uint8Array> {
      try {
        yield* chunksOf(bytes, 16);
        yield* chunksOf(Buffer.from('\n'.repeat(64)), 16);
      } finally {
        closed = true;
      }
    }
    await checkDevicesFile(input, CREATE, SINK).catch(() => undefined);
    expect(closed).toBe(true);
  });

  it('is refused for a long array on one line', async () => {
    const bytes = Buffer.from(`[${'{"id":"d"},'.repeat(100)}`);
    await expect(checkText(bytes, { ...CREATE, maxLineBytes: 64 })).rejects.toMatchObject({ code: 'jsonArray' });
  });

  it('is refused for many lines that end in CR, without being slow about other text that has many', async () => {
    const bytes = Buffer.from('{"id":"d"}\r'.repeat(100));
    await expect(checkText(bytes, { ...CREATE, maxLineBytes: 64 })).rejects.toMatchObject({ code: 'macLineEnds' });
    const { rejected } = await checkText(`}${'\r'.repeat(900_000)}b\n{"id":"d"}\n`);
    expect(rejected.map(({ code }) => code)).toEqual(['notAnObject']);
  });

  it('has a case for every code', () => {
    // Those of CSV files have a test file of their own.
    const codes = Object.keys(FILE_REASONS).filter((code) => !/^csv./.test(code));
    expect(new Set(cases.map(({ code }) => code))).toEqual(new Set(codes));
  });
});

describe('duplicates', () => {
  it('names the first line, and lets the first line win', async () => {
    const { accepted, rejected, summary } = await checkText(
      line({ id: 'a', status: 'disabled' }) +
        line({ id: 'b' }) +
        line({ id: 'a' }) +
        line({ id: 'a', tags: {} }) +
        line({ id: 'A' }),
    );
    expect(accepted.map(({ line, id }) => [line, id])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [5, 'A'],
    ]);
    expect(rejected.map(({ line, id, code, reason }) => [line, id, code, /line (\d+)/.exec(reason)?.[1]])).toEqual([
      [3, 'a', 'duplicate', '1'],
      [4, 'a', 'duplicate', '1'],
    ]);
    expect(summary).toMatchObject({ lines: 5, devices: 3, rejected: 2 });
  });

  it('does not count lines that are rejected', async () => {
    const { accepted, rejected } = await checkText(line({ id: 'a', status: '?' }) + line({ id: 'a' }));
    expect(rejected.map(({ line }) => line)).toEqual([1]);
    expect(accepted.map(({ line }) => line)).toEqual([2]);
  });

  it('keeps devices and modules apart', async () => {
    const { accepted } = await checkText(
      line({ id: 'a' }) +
        line({ id: 'a', moduleId: 'm' }) +
        line({ id: 'a', moduleId: 'n' }) +
        line({ id: 'm' }) +
        line({ id: 'm', moduleId: 'a' }),
    );
    expect(accepted).toHaveLength(5);
  });

  it('are found in the order of the file, each with the notes of its first line alone', async () => {
    const ids = ['a', 'b', 'c', 'a', 'b', 'd', 'c', 'c', 'd', 'e'];
    const text = ids.map((id) => line({ id, colour: 'red' })).join('');
    const { accepted, rejected, warnings, summary, passes } = await checkText(text, CREATE, 7);
    expect(accepted.map(({ line, id }) => [line, id])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
      [6, 'd'],
      [10, 'e'],
    ]);
    expect(rejected.map(({ line, reason }) => [line, /line (\d+)/.exec(reason)?.[1]])).toEqual([
      [4, '1'],
      [5, '2'],
      [7, '3'],
      [8, '3'],
      [9, '6'],
    ]);
    expect(warnings).toHaveLength(5);
    expect(summary).toMatchObject({ lines: 10, devices: 5, rejected: 5, warnings: 5 });
    expect(passes).toBe(1);
  });

  it('agrees with a Set of ids', async () => {
    const identity = fc.record({
      id: fc.stringMatching(/^[ab]{1,3}$/),
      moduleId: fc.option(fc.constantFrom('m', 'n'), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(identity, { maxLength: 40, minLength: 1 }), async (identities) => {
        const { accepted, rejected } = await checkText(identities.map(line).join(''), CREATE);
        const first = new Map<string, number>();
        identities.forEach((one, index) => {
          const key = JSON.stringify(one);
          if (!first.has(key)) first.set(key, index + 1);
        });
        expect(accepted.map(({ line }) => line)).toEqual([...first.values()]);
        for (const { line, reason } of rejected) {
          expect(reason).toContain(`line ${first.get(JSON.stringify(identities[line - 1]))}:`);
        }
        expect(accepted.length + rejected.length).toBe(identities.length);
      }),
      { numRuns: 60 },
    );
  });

  it('finds very many of them by one reading', async () => {
    const block = Array.from(
      { length: 50_000 },
      (_, n) => `{"id":"d${n}","importMode":"create","status":"enabled"}\n`,
    ).join('');
    const { summary, rejected, passes } = await checkText(block.repeat(3), CREATE, 65_536);
    expect(summary).toMatchObject({ lines: 150_000, devices: 50_000, rejected: 100_000 });
    expect(passes).toBe(1);
    expect(rejected.every(({ line, reason }) => reason.includes(`line ${((line - 1) % 50_000) + 1}:`))).toBe(true);
  });
});

describe('memory', () => {
  it('stays flat over a line of 200 MB', async () => {
    const block = Buffer.alloc(64 * 1024, 'x');
    const blocks = 3200;
    async function* input(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`${line({ id: 'before' })}{"id":"`);
      for (let n = 0; n < blocks; n += 1) yield block;
      yield Buffer.from(`"}\n${line({ id: 'after' })}`);
    }
    const before = process.memoryUsage();
    let most = 0;
    const rejected: { line: number; code: string; raw: Uint8Array; reason: string }[] = [];
    const ids: string[] = [];
    await checkDevicesFile(input, CREATE, {
      ...SINK,
      device: ({ id }) => ids.push(id),
      rejected: (line) => rejected.push(line),
      drain: () => {
        const { arrayBuffers, heapUsed } = process.memoryUsage();
        most = Math.max(most, arrayBuffers + heapUsed - before.arrayBuffers - before.heapUsed);
        return undefined;
      },
    });
    expect(ids).toEqual(['before', 'after']);
    expect(rejected).toMatchObject([
      { line: 2, code: 'lineTooLong', reason: expect.stringContaining(`${blocks * 65_536 + 9} bytes`) },
    ]);
    expect(rejected[0]?.raw.length).toBeLessThan(65_600);
    expect(most).toBeLessThan(40e6);
  });

  it('stays flat over many lines', async () => {
    // 65 MB of lines through a heap of 24: a check that kept them would not survive it.
    const source = new URL('../../../src/lib/devicesFile/', import.meta.url);
    const program = `
      import { checkDevicesFile } from '${source}checkDevicesFile.ts';
      import { generateDevices } from '${source}generate.ts';
      const block = [...generateDevices({ count: 500, seed: 'memory' })].join('\\n') + '\\n';
      async function* input() {
        for (let n = 0; n < 320; n += 1) yield Buffer.from(block.replaceAll('"device-', '"' + n + '-'));
      }
      const nothing = () => undefined;
      const sink = { device: nothing, module: nothing, rejected: nothing, skipped: nothing, warning: nothing, drain: nothing };
      const { devices } = await checkDevicesFile(input, { importMode: 'create' }, sink);
      console.log(devices);`;
    const heap = ['--max-old-space-size=24', '--max-semi-space-size=4'];
    const { stdout } = await promisify(execFile)(process.execPath, [...heap, '--input-type=module', '-e', program]);
    expect(stdout.trim()).toBe('160000');
  });
});
