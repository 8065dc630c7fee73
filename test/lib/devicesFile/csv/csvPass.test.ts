import { gzipSync } from 'node:zlib';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkDevicesFile, FileRefused } from '../../../../src/lib/devicesFile/checkDevicesFile.ts';
import { FILE_REASONS, type FileRefusedCode } from '../../../../src/lib/textFile/fileReasons.ts';
import { csvOf } from '../../../helpers/csvOf.ts';
import { CREATE, CSV, checkText, chunksOf, DEFAULTS, KEY_1, KEY_2, line } from '../checkText.ts';

/** The devices of a CSV file as objects, without what the check adds. */
async function devicesOf(text: string | Uint8Array): Promise<Record<string, unknown>[]> {
  const { accepted, rejected } = await checkText(text, CSV);
  expect(rejected).toEqual([]);
  return accepted.map(({ text: json }) => {
    const { importMode: _, status: __, ...device } = JSON.parse(json) as Record<string, unknown>;
    return device;
  });
}

/** A bit of everything, in few bytes. */
const MIXED = Buffer.concat([
  Buffer.from(
    '\ufeff\r\nID; importmode;tags.city;TAG:floor;"PROPERTY:interval";Capabilities.IoTEdge;colour;parent\r\n',
  ),
  Buffer.from('a;create;"K\u00f6ln\r\nDom \ud83d\ude00";007;1.5;TRUE\r\n\r\n'),
  Buffer.from('b;; \u00e0 ;;"{""x"":[1,2]}";;;\r\n'),
  Buffer.from('c;;one;two;three;four;five;six;seven\n'),
  Buffer.from('d;;stra\xdfe\n', 'latin1'),
  Buffer.from(';;;;;;;\n  \n'),
  Buffer.from('e;;;;;;;e\na;delete\n;delete\nb ; delete;"a ""quoted"" word"'),
]);

describe('a CSV file as a whole', () => {
  it('has every row in exactly one outcome, with the line on which it starts', async () => {
    const { summary, headers, accepted, rejected, warnings } = await checkText(MIXED, CSV);
    expect(headers).toEqual([
      'ID; importmode;tags.city;TAG:floor;"PROPERTY:interval";Capabilities.IoTEdge;colour;parent\r',
    ]);
    expect(accepted.map((row) => [row.line, row.mode, JSON.parse(row.text)])).toEqual([
      [
        3,
        'create',
        {
          id: 'a',
          importMode: 'create',
          status: 'enabled',
          tags: { city: 'K\u00f6ln\r\nDom \ud83d\ude00', floor: '007' },
          properties: { desired: { interval: 1.5 } },
          capabilities: { iotEdge: true },
        },
      ],
      [
        6,
        'create',
        {
          id: 'b',
          importMode: 'create',
          status: 'enabled',
          tags: { city: '\u00e0' },
          properties: { desired: { interval: { x: [1, 2] } } },
        },
      ],
    ]);
    expect(rejected.map(({ line: at, code, id }) => [at, code, id])).toEqual([
      [7, 'tooManyCells', undefined],
      [8, 'badUtf8', undefined],
      [11, 'parentItself', 'e'],
      [12, 'duplicate', 'a'],
      [13, 'idMissing', undefined],
      [14, 'duplicate', 'b'],
    ]);
    expect(warnings.map(({ line: at, code }) => [at, code])).toEqual([
      [2, 'unknownColumn'],
      [2, 'mixedColumn'],
    ]);
    expect(summary.fileWarnings).toEqual(warnings);
    expect(summary).toMatchObject({
      lines: 8,
      blankLines: 3,
      bytes: MIXED.length,
      devices: 2,
      rejected: 6,
      warnings: 2,
      byMode: { create: 2 },
    });
  });

  it('is the same however it is cut into chunks', async () => {
    const { passes: _, ...whole } = await checkText(MIXED, CSV);
    for (let size = 1; size <= MIXED.length; size += 1) {
      const { passes: _passes, ...cut } = await checkText(MIXED, CSV, size);
      expect(cut, `chunks of ${size} bytes`).toEqual(whole);
    }
  });

  it('is the same with gzip, however it is cut', async () => {
    const zipped = gzipSync(MIXED);
    const { summary: _s, passes: _p, ...whole } = await checkText(MIXED, CSV);
    for (let size = 1; size <= zipped.length; size += 1) {
      const { summary: _t, passes: _q, ...cut } = await checkText(zipped, CSV, size);
      expect(cut, `chunks of ${size} bytes`).toEqual(whole);
    }
  });

  it('gives back its rejected rows, whole and byte for byte, so that they can be dropped again', async () => {
    const long = `"${'x, '.repeat(40_000)}"`;
    const text = `id,tags.site,status\r\ngood,1\r\nbad,"a\r\n""b""",?\r\nlong,${long}\r\n`;
    const { headers, rejected } = await checkText(text, CSV);
    const raw = rejected.map((row) => Buffer.from(row.raw).toString());
    expect(raw).toEqual(['bad,"a\r\n""b""",?\r', `long,${long}\r`]);
    const again = await checkText([...headers, ...raw].map((row) => `${row}\n`).join(''), CSV);
    expect(again.headers).toEqual(headers);
    expect(again.rejected.map(({ code, reason }) => [code, reason])).toEqual(
      rejected.map(({ code, reason }) => [code, reason]),
    );
  });

  it('tells fields by their path, whatever the column is called', async () => {
    const { rejected } = await checkText(
      `id,TAG:a,PROPERTY:b\nd,"${'x'.repeat(5000)}",\ne,,99${'9'.repeat(4096)}`,
      CSV,
    );
    expect(rejected.map(({ path }) => path)).toEqual(['tags.a', 'properties.desired.b']);
  });

  it('hands out no more between two pauses than a piece of its input holds', async () => {
    const header = 'id,tags.a,tags.b,properties.desired.c\n';
    let most = 0;
    async function* rows(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(header);
      for (let block = 0; block < 100; block += 1) {
        yield Buffer.from(Array.from({ length: 1000 }, (_, n) => `d-${block}-${n},"a, b",${n},text\n`).join(''));
      }
    }
    let held = 0;
    const count = (): void => {
      held += 1;
      most = Math.max(most, held);
    };
    const summary = await checkDevicesFile(rows, CSV, {
      device: count,
      module: count,
      rejected: count,
      skipped: count,
      warning: count,
      drain: () => {
        held = 0;
        return undefined;
      },
    });
    expect(summary.devices).toBe(100_000);
    // What one piece of input holds, and no more.
    expect(most).toBeLessThan(5000);
  });

  it('stops when aborted, and passes on what its input throws', async () => {
    const controller = new AbortController();
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('id\n');
      for (let n = 0; ; n += 1) {
        if (n === 10) controller.abort(new Error('stopped by the test'));
        yield Buffer.from(`d${n}\n`);
      }
    }
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('id\na\n');
      throw new Error('connection reset');
    }
    const sink = {
      device: () => undefined,
      module: () => undefined,
      rejected: () => undefined,
      skipped: () => undefined,
      warning: () => undefined,
      drain: () => undefined,
    };
    const options = { ...CSV, abortSignal: controller.signal };
    await expect(checkDevicesFile(endless, options, sink)).rejects.toThrow('stopped by the test');
    await expect(checkDevicesFile(failing, CSV, sink)).rejects.toThrow('connection reset');
    const broken = {
      ...sink,
      device: () => {
        throw new Error('the sink is full');
      },
    };
    await expect(checkDevicesFile(() => chunksOf(Buffer.from('id\na\n'), 1), CSV, broken)).rejects.toThrow(
      'the sink is full',
    );
  });
});

describe('columns', () => {
  it('become the fields that they are called after, without regard to case', async () => {
    const columns = {
      id: 'd',
      MODULEID: 'm',
      etag: 'e',
      ImportMode: 'create',
      Status: 'enabled',
      statusreason: 'because',
      'authentication.TYPE': 'sas',
      'authentication.symmetricKey.primaryKey': KEY_1,
      'Authentication.SymmetricKey.SecondaryKey': KEY_2,
      'authentication.x509Thumbprint.primaryThumbprint': '',
      twinEtag: 't',
      'TAGS.Place.Name': 'Oslo',
      'tag:Place.floor': '3',
      'Properties.Desired.a': 'true',
      'property:b.c': 'x',
      'capabilities.iotedge': 'false',
      devicescope: 's',
      parentScopes: '["p"]',
      parent: '',
    };
    const text = stringify([Object.keys(columns), Object.values(columns)]);
    const { accepted, warnings } = await checkText(text, CSV);
    expect(warnings).toEqual([]);
    expect(JSON.parse(accepted[0]?.text ?? '')).toEqual({
      id: 'd',
      moduleId: 'm',
      eTag: 'e',
      importMode: 'create',
      status: 'enabled',
      statusReason: 'because',
      authentication: { type: 'sas', symmetricKey: { primaryKey: KEY_1, secondaryKey: KEY_2 } },
      twinETag: 't',
      tags: { Place: { Name: 'Oslo', floor: 3 } },
      properties: { desired: { a: true, b: { c: 'x' } } },
      capabilities: { iotEdge: false },
      deviceScope: 's',
      parentScopes: ['p'],
    });
  });

  it('may hold a whole section as JSON', async () => {
    expect(await devicesOf('id;tags;properties.desired\nd;"{""a"":{""b"":1}}";{}\n')).toEqual([
      { id: 'd', tags: { a: { b: 1 } }, properties: { desired: {} } },
    ]);
    const { rejected } = await checkText('id,tags\nd,Oslo\n', CSV);
    expect(rejected).toMatchObject([{ code: 'wrongType', path: 'tags' }]);
  });

  it('may be missing at the end of a row', async () => {
    expect(await devicesOf('id,tags.a,tags.b\nd\ne,1\n')).toEqual([{ id: 'd' }, { id: 'e', tags: { a: 1 } }]);
  });

  it('may be called like what every object has', async () => {
    const [device] = await devicesOf('id,tags.__proto__.a,tags.constructor\nd,1,2\n');
    expect(JSON.stringify(device)).toBe('{"id":"d","tags":{"__proto__":{"a":1},"constructor":2}}');
  });

  it.each([
    ['IotEdge', '"IotEdge"', '; perhaps "capabilities.iotEdge" is meant.'],
    ['desired.interval', '"desired.interval"', '; perhaps "properties.desired.\u2026" is meant.'],
    ['Tag.site', '"Tag.site"', '; perhaps "tags.\u2026" is meant.'],
    ['Standort', '"Standort"', '; "tags.Standort" would make it a tag.'],
    ['Serial No', '"Serial No"', '; "tags.SerialNo" would make it a tag.'],
    ['Gerätetyp', '"Gerätetyp"', '; "tags.Gerätetyp" would make it a tag.'],
    ['Type', '"Type"', '; "tags.Type" would make it a tag.'],
    ['Interval (s)', '"Interval (s)"', '; "tags.Intervals" would make it a tag.'],
    ['a/b', '"(a name)"', '. Remove it, or correct its name.'],
    ['properties.desired.$version', '"properties.desired.$version"', '; the hub writes it itself.'],
    ['tags.$metadata.a.b', '"tags.$metadata.a.b"', '; the hub writes it itself.'],
  ])('that are not known are warned of once: %s', async (name, shown, hint) => {
    const { warnings, accepted } = await checkText(`id,${name}\na,1\nb,2\n`, CSV);
    expect(accepted.map(({ text }) => Object.keys(JSON.parse(text)).sort().join())).toEqual([
      'id,importMode,status',
      'id,importMode,status',
    ]);
    expect(warnings).toMatchObject([{ line: 1, code: 'unknownColumn' }]);
    expect(warnings[0]?.message).toContain(`Column 2 ${shown} is not known and has no effect${hint}`);
  });

  it('without a name are passed over while they are empty, and so are empty cells behind the last column', async () => {
    const empty = await checkText('id;tags.a;;\r\na;x;;\r\nb;y;;;;\r\n', CSV);
    expect([empty.accepted.length, empty.warnings, empty.rejected]).toEqual([2, [], []]);
    const filled = await checkText('id;tags.a;;\r\na;x;;\r\nb;y;;z\r\nc;y;;z\r\n', CSV);
    expect(filled.warnings.map(({ line: at, code }) => [at, code])).toEqual([[3, 'namelessColumn']]);
    expect(filled.warnings[0]?.message).toContain('Column 4 has values');
    const more = await checkText('id;tags.a\r\na;x;;z\r\n', CSV);
    expect(more.rejected.map(({ code }) => code)).toEqual(['tooManyCells']);
  });

  it.each([
    ['1.10', '1.1', '"1.10" in line 2 is text, 1.1 in line 3 is a number'],
    ['42', '00042', '42 in line 2 is a number, "00042" in line 3 is text'],
    ['TRUE', 'yes', 'TRUE in line 2 is true or false, the cell in line 3 is text'],
    ['24.12.2025 10:00:00', '7', '"24.12.2025 10:00:00" in line 2 is text, 7 in line 3 is a number'],
    ['"12"', '12', '"12" in line 2 is text, 12 in line 3 is a number'],
    ['[1]', '1', 'the cell in line 2 is JSON, 1 in line 3 is a number'],
    ['a word of some length', '1', 'the cell in line 2 is text, 1 in line 3 is a number'],
    [KEY_1, '1', 'the cell in line 2 is text, 1 in line 3 is a number'],
    ['1,5', '2', '"1,5" in line 2 is text, 2 in line 3 is a number; numbers have a point, not a comma'],
    ['hunter2', '1', 'the cell in line 2 is text, 1 in line 3 is a number'],
  ])('that are text in one row and something else in another are warned of once: %s, %s', async (one, other, says) => {
    for (const [column, shown] of [
      ['tags.fw', 'tags.fw'],
      ['PROPERTY:fw', 'properties.desired.fw'],
    ]) {
      const rows = `id;tags.x;${column}\na;1;${one}\nb;2;${other}\nc;3;${one}\nd;;\ne;3;${other}\n`;
      const { warnings, accepted } = await checkText(rows, CSV);
      expect(accepted).toHaveLength(5);
      expect(warnings).toMatchObject([{ line: 1, code: 'mixedColumn' }]);
      expect(warnings[0]?.message).toContain(`Column 3 "${shown}" mixes types: ${says}.`);
    }
  });

  it('that mix show nothing of their cells if they are called like a credential', async () => {
    const { warnings } = await checkText('id,tags.wifi_password\na,hunter2\nb,1234\n', CSV);
    expect(warnings.map(({ message }) => message).join()).toContain(
      'the cell in line 2 is text, the cell in line 3 is a number.',
    );
  });

  it.each(['1,5\n2,75', '24.12.2025\n01.02.2026', '007\n010', '1.10\n1.20', '1\n2', '"1"\n"a"', 'true\nFALSE', '\n""'])(
    'of one type are not warned of: %s',
    async (cells) => {
      const rows = cells.split('\n').map((cell, n) => `d${n};${cell}\n`);
      const { warnings, rejected } = await checkText(`id;tags.a\n${rows.join('')}`, CSV);
      expect([warnings, rejected]).toEqual([[], []]);
    },
  );
});

describe('the first line of Excel', () => {
  it.each([';', ',', '\t', '|'])('says which character parts the cells: %s', async (sep) => {
    const text = `sep=${sep}\r\nid${sep}tags.site${sep}status\r\nd1${sep}"a${sep}b"${sep}enabled\r\n`;
    for (const size of [1, 5, Number.POSITIVE_INFINITY]) {
      const { accepted, rejected, headers, summary } = await checkText(`${text}d2${sep}x${sep}?`, CSV, size);
      expect(accepted.map(({ line: at, id, text: json }) => [at, id, JSON.parse(json).tags])).toEqual([
        [3, 'd1', { site: `a${sep}b` }],
      ]);
      expect(rejected.map(({ line: at, raw }) => [at, Buffer.from(raw).toString()])).toEqual([[4, `d2${sep}x${sep}?`]]);
      expect(summary.lines).toBe(2);
      // With it, the rejected rows can be dropped again as they are.
      expect(headers).toEqual([`sep=${sep}\r\nid${sep}tags.site${sep}status\r`]);
    }
  });

  it('may be in quotes and behind a byte order mark', async () => {
    expect(await devicesOf('\ufeff"sep=;"\nid;tags.a\nd;1\n')).toEqual([{ id: 'd', tags: { a: 1 } }]);
  });

  it('alone is no file', async () => {
    await expect(checkText('sep=;\r\n', CSV)).rejects.toMatchObject({ code: 'empty' });
  });
});

describe('cells', () => {
  it.each<[cell: string, value: unknown]>([
    ['Oslo', 'Oslo'],
    [' Oslo east\t', 'Oslo east'],
    ['" Oslo "', ' Oslo '],
    [' "Oslo"', 'Oslo'],
    ['"Oslo, ""east"""', 'Oslo, "east"'],
    ['', undefined],
    ['   ', undefined],
    ['""', ''],
    ['true', true],
    ['FALSE', false],
    ['"true"', 'true'],
    ['yes', 'yes'],
    ['null', 'null'],
    ['0', 0],
    ['-12.50', '-12.50'],
    ['-12.5', -12.5],
    ['1e3', '1e3'],
    ['1.10', '1.10'],
    ['2.00', '2.00'],
    ['1E5', '1E5'],
    ['12345678901234E1', '12345678901234E1'],
    ['8.69E+14', '8.69E+14'],
    ['0.0', '0.0'],
    ['0e0', '0e0'],
    ['1e-7', 1e-7],
    ['0.0000001', '0.0000001'],
    ['1e+21', '1e+21'],
    ['Infinity', 'Infinity'],
    ['24.12.2025', '24.12.2025'],
    ['2025-12-24', '2025-12-24'],
    ['"30"', '30'],
    ['007', '007'],
    ['+1', '+1'],
    ['.5', '.5'],
    ['5.', '5.'],
    ['1,5'.replace(',', '.'), 1.5],
    ['0x10', '0x10'],
    ['NaN', 'NaN'],
    ['-0', '-0'],
    ['1e999', '1e999'],
    ['1e-999', '1e-999'],
    ['4503599627370495', 4503599627370495],
    ['4503599627370496', '4503599627370496'],
    ['-4503599627370496', -4503599627370496],
    ['-4503599627370497', '-4503599627370497'],
    ['0.30000000000000004', 0.30000000000000004],
    ['3.14159265358979323846', '3.14159265358979323846'],
    ['12345678901234567890', '12345678901234567890'],
    ['"{""a"":[1,true,""x""]}"', { a: [1, true, 'x'] }],
    ['"{\r\n  ""a"": 1\r\n}\r\n"', { a: 1 }],
    ['[1;2]', '[1;2]'],
    ['[1]', [1]],
    ['{site}', '{site}'],
  ])('of the twin: %s', async (cell, value) => {
    for (const column of ['tags.x', 'PROPERTY:x']) {
      const [device] = await devicesOf(`id,${column}\nd,${cell}\n`);
      const section =
        column === 'tags.x' ? device?.['tags'] : (device?.['properties'] as { desired?: unknown })?.desired;
      expect(section).toEqual(value === undefined ? undefined : { x: value });
    }
  });

  it('never change: a number comes back as it is written, and all else is text', async () => {
    const unit = fc.constantFrom(...'0123456789', '0', '0', '.', '.', ',', '-', '+', 'e', 'E', 'x', ' ', 'N', 'a');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit, maxLength: 20 }), { minLength: 20, maxLength: 20 }),
        async (cells) => {
          const devices = await devicesOf(`id;tags.x\n${cells.map((cell, n) => `d${n};${cell}\n`).join('')}`);
          for (const [index, cell] of cells.entries()) {
            const { x } = (devices[index]?.['tags'] ?? {}) as { x?: string | number };
            expect(x === undefined ? '' : String(x)).toBe(cell.trim());
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('with JSON arrive as they are written, on one line', async () => {
    const written = '{"a":1.0,"10":"x","2":[1e2, "\u2028"],\r\n"a b":null}';
    const cell = `"${written.replaceAll('"', '""')}"`;
    const { accepted } = await checkText(`id,importMode,tags,properties.desired.x\nd,delete,${cell},${cell}\n`, CSV);
    const oneLine = written.replace('\r\n', ' ');
    expect(accepted[0]?.text).toBe(
      `{\t"status":"enabled","id":"d","importMode":"delete","tags":${oneLine},"properties":{"desired":{"x":${oneLine}}}}`,
    );
  });

  it('of the identity are text, and absent when empty, quoted or not', async () => {
    expect(await devicesOf('id,statusReason,deviceScope,eTag\n007,true,,\n1e3,,"",""\n')).toEqual([
      { id: '007', statusReason: 'true' },
      { id: '1e3' },
    ]);
    // An empty reason takes away the one that is there.
    expect(await devicesOf('id,statusReason\nd,""\n')).toEqual([{ id: 'd', statusReason: '' }]);
  });

  it('that are wrong are told like the fields of a line', async () => {
    const { rejected } = await checkText('id,capabilities.iotEdge,status,eTag\na/b,maybe,on,\n', CSV);
    for (const part of ['id has a character', 'capabilities.iotEdge must be true or false', 'status is neither']) {
      expect(rejected[0]?.reason).toContain(part);
    }
  });
});

describe('a CSV file that is refused', () => {
  const cases: readonly {
    name: string;
    code: FileRefusedCode;
    bytes: string | Uint8Array;
    line?: number;
    says?: string;
  }[] = [
    { name: 'no bytes', code: 'empty', bytes: '' },
    { name: 'blank lines only', code: 'empty', bytes: '\ufeff\r\n  \n\n' },
    { name: 'a header only', code: 'csvNoRows', bytes: 'id,status' },
    { name: 'rows of delimiters only', code: 'csvNoRows', bytes: 'id,status\n,\n , \n' },
    { name: 'UTF-16 with mark', code: 'utf16', bytes: Buffer.from('\ufeffid\na\n', 'utf16le') },
    { name: 'UTF-16 without mark', code: 'utf16', bytes: Buffer.from('id\na\n', 'utf16le') },
    { name: 'UTF-16, high byte first', code: 'utf16', bytes: Buffer.from('id\na\n', 'utf16le').swap16() },
    { name: 'zero bytes', code: 'binary', bytes: 'id\na\n\nb\u0000\n', line: 4 },
    { name: 'a zip archive', code: 'otherCompression', bytes: 'PK\u0003\u0004rest' },
    {
      name: 'a header that is no UTF-8',
      code: 'csvHeaderUtf8',
      bytes: Buffer.from('id;tags.stra\xdfe\na;b', 'latin1'),
      line: 1,
    },
    { name: 'lines of JSON', code: 'csvIsJson', bytes: '\n{"id":"a"}\n{"id":"b"}\n', line: 2 },
    { name: 'an array of JSON without end', code: 'csvIsJson', bytes: `[${'{"id":"a"},'.repeat(100)}`, line: 1 },
    { name: 'no header', code: 'csvNoHeader', bytes: `d1,enabled,${KEY_1}\n`, line: 1, says: 'Write a header: "id"' },
    {
      name: 'no id',
      code: 'csvNoId',
      bytes: '\nstatus,tags.id\nenabled,a\n',
      line: 2,
      says: 'Rename the column with the device ids to "id"',
    },
    {
      name: 'deviceId',
      code: 'csvNoId',
      bytes: 'status,DeviceId\nenabled,a\n',
      line: 1,
      says: 'Rename column 2 "DeviceId" to "id"',
    },
    { name: 'device_id alone', code: 'csvNoId', bytes: 'device_id\na\n', line: 1, says: 'Rename column 1 "device_id"' },
    {
      name: 'the header of a spreadsheet',
      code: 'csvNoId',
      bytes: '\ufeffDevice ID;Status;Standort;Serial No;;^\r\npump-101;Enabled;M\u00fcnchen;00042;;\r\n',
      line: 1,
      says: 'The header has no column "id". Rename column 1 "Device ID" to "id".',
    },
    {
      name: 'several things that are wrong with a header, the id first',
      code: 'csvNoId',
      bytes: 'Device ID,tags.Serial No,Thumbprint\na,1,AB\n',
      line: 1,
      says: 'Rename column 1 "Device ID" to "id".',
    },
    {
      name: 'the German header of a spreadsheet',
      code: 'csvNoId',
      bytes: 'Ger\u00e4te-ID;status\npump-101;\n',
      line: 1,
      says: 'Rename column 1 "Ger\u00e4te-ID" to "id".',
    },
    ...[
      ['primaryKey', 'Name it "authentication.symmetricKey.primaryKey", or remove it'],
      ['primary key', 'Name it "authentication.symmetricKey.primaryKey", or remove it'],
      ['SecondaryKey', 'Name it "authentication.symmetricKey.secondaryKey", or remove it'],
      ['symmetricKey.secondaryKey', 'Name it "authentication.symmetricKey.secondaryKey", or remove it'],
      ['Key1', 'Name it "authentication.symmetricKey.primaryKey", or remove it'],
      ['Thumbprint', 'Name it "authentication.x509Thumbprint.primaryThumbprint", or remove it'],
      ['x509.primaryThumbprint', 'Name it'],
      ['authentication_type', 'Name it "authentication.type", or remove it'],
      ['Auth Type', 'Name it "authentication.type", or remove it'],
      ['Connection String', 'or remove it'],
      ['ConnStr', 'or remove it'],
      ['Passwort', 'or remove it'],
      ['SAS-Token', 'or remove it'],
      ['device_secret', 'or remove it'],
    ].map(([name = '', says = '']) => ({
      name: `a column "${name}"`,
      code: 'csvKeyColumn' as const,
      bytes: `id,${name}\na,x\n`,
      line: 1,
      says: `Column 2 "${name}" looks like a key or another credential under a name that is not known: the devices would get others. ${says.startsWith('Name') ? says : ''}`,
    })),
    {
      name: 'several of them',
      code: 'csvKeyColumn',
      bytes: 'id,primaryKey,secondaryKey,site\na,x,y,z\n',
      line: 1,
      says: 'Columns 2 "primaryKey", 3 "secondaryKey" look like keys or other credentials under a name that is not known: the devices would get others. Name them "authentication.symmetricKey.primaryKey", "authentication.symmetricKey.secondaryKey", or remove them.',
    },
    ...[
      ['a key', KEY_1],
      ['a key of 64 bytes', Buffer.alloc(64, KEY_1).toString('base64')],
      ['a thumbprint', 'A0F7880B5C5A00BF5571B82F95477BAA94C1E52B'],
      ['a thumbprint with colons', 'A0:F7:88:0B:5C:5A:00:BF:55:71:B8:2F:95:47:7B:AA:94:C1:E5:2B'],
      ['a connection string', `HostName=h;DeviceId=d;SharedAccessKey=${KEY_1}`],
    ].flatMap(([what, value = '']) =>
      ['Spalte 3', ''].map((name) => ({
        name: `${what} in column "${name}"`,
        code: 'csvKeyColumn' as const,
        bytes: `id,tags.a,${name}\na,x,\nb,y,"${value}"\n`,
        line: 3,
        says: `Column 3 ${name === '' ? '(without a name)' : '"Spalte 3"'} has what looks like a key`,
      })),
    ),
    ...[
      ['tags.Serial No', '"tags.Serial No"', 'a blank', ', such as "tags.SerialNo"'],
      ['TAG:Nr. $', '"TAG:Nr. $"', 'a blank', ''],
      ['PROPERTY:a#b', '"PROPERTY:a#b"', 'U+0023 "#"', ', such as "properties.desired.ab"'],
      ['properties.desired.a.b c', '"properties.desired.a.b c"', 'a blank', ', such as "properties.desired.a.bc"'],
    ].map(([name = '', shown = '', character = '', hint = '']) => ({
      name: `a column "${name}"`,
      code: 'csvColumnKey' as const,
      bytes: `id,${name}\na,x\nb,x\n`,
      line: 1,
      says: `Column 2 ${shown} has a character in its name that a hub does not take in keys (${character}). Rename it${hint}.`,
    })),
    { name: 'lines that end in CR', code: 'macLineEnds', bytes: 'id,tags.a\rx1,1\rx2,2\r' },
    { name: 'lines that end in CR, all cells in quotes', code: 'macLineEnds', bytes: '"id","tags.a"\r"x1","1"\r' },
    { name: 'many lines that end in CR', code: 'macLineEnds', bytes: `id,tags.a\r${'x1,1\r'.repeat(50)}` },
    { name: 'lines that end in CR, with LF in a cell', code: 'macLineEnds', bytes: 'id,tags.a\rx1,"a\nb"\rx2,2\r' },
    {
      name: 'a byte order mark before a quote',
      code: 'csvByteOrderMark',
      bytes: '\ufeff"id","tags.a"\n"a","1"\n\ufeff"id","tags.a"\n"b","2"\n',
      line: 3,
    },
    {
      name: 'a column twice',
      code: 'csvColumnTwice',
      bytes: 'id,status,Status\na',
      line: 1,
      says: 'Columns 2 and 3 are both "status"',
    },
    { name: 'a tag twice', code: 'csvColumnTwice', bytes: 'id,tags.a,TAG:a\na', line: 1, says: 'both "tags.a"' },
    { name: 'id and ID', code: 'csvColumnTwice', bytes: 'id,ID\na', line: 1, says: 'both "id"' },
    {
      name: 'a tag and a part of it',
      code: 'csvColumnConflict',
      bytes: 'id,tags.a.b,tags.a\na',
      line: 1,
      says: 'Column 3 "tags.a" holds what column 2 "tags.a.b"',
    },
    {
      name: 'a section and a part of it',
      code: 'csvColumnConflict',
      bytes: 'id,tags,tags.a\na',
      line: 1,
      says: 'Column 2 "tags"',
    },
    { name: 'a tag without name', code: 'csvColumnName', bytes: 'id,TAG:\na', line: 1, says: 'Column 2' },
    { name: 'a path with a gap', code: 'csvColumnName', bytes: 'id,tags.a..b\na', line: 1, says: 'Column 2' },
    { name: 'a quote in a bare cell', code: 'csvQuotes', bytes: 'id,tags.a\na,1\n\nb,12" pipe\n', line: 4 },
    { name: 'something behind a quoted cell', code: 'csvQuotes', bytes: 'id,tags.a\n"a"b,1\n', line: 2 },
    { name: 'a quote that is not closed', code: 'csvQuotes', bytes: 'id,tags.a\n"a\n\nb"\nc,"1\nd,2\n', line: 5 },
    { name: 'a header with a quote that is not closed', code: 'csvQuotes', bytes: 'id,"tags.a\na,1\n', line: 1 },
    {
      name: 'a quote that swallows the rest',
      code: 'csvRowTooLong',
      bytes: `id,tags.a\na,"1\n${'b,2\n'.repeat(100)}`,
      line: 2,
    },
    {
      name: 'a long row',
      code: 'csvRowTooLong',
      bytes: `id,tags.a\na,${'x'.repeat(300)}\nb,2\n`,
      line: 2,
      says: '200 bytes',
    },
    { name: 'a long header', code: 'csvRowTooLong', bytes: `id,${'x'.repeat(300)}`, line: 1 },
  ];

  it.each(cases)('$name: $code', async ({ code, bytes, line: at, says = '' }) => {
    const whole = Buffer.from(bytes as string);
    for (let size = 1; size <= whole.length + 1; size += 1) {
      const refused = await checkText(whole, { ...CSV, maxLineBytes: 200 }, size).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(refused, `chunks of ${size} bytes`).toBeInstanceOf(FileRefused);
      expect(refused).toMatchObject({ code, line: at });
      const { message, action } = refused as FileRefused;
      expect(`${message} ${action}`).toContain(says);
      expect(`${message} ${action}`).not.toMatch(/pipe|MDEy/);
    }
  });

  it('has a case for every code', () => {
    const codes = Object.keys(FILE_REASONS).filter((code) => /^csv./.test(code));
    expect(codes.filter((code) => !cases.some((each) => each.code === code))).toEqual([]);
  });
});

describe('the same devices as lines and as CSV', () => {
  const word = fc.string({ minLength: 1, maxLength: 6, unit: fc.constantFrom(...'abXYZ019') });
  const text = fc
    .oneof(
      fc.string({ maxLength: 12, unit: 'grapheme' }).map((any) => any.replaceAll('\0', '')),
      fc.string({ maxLength: 8, unit: fc.constantFrom(...' ",;\t\r\n\'{}[]1e-.tru\u00e9\u00a0') }),
      fc.constantFrom('true', '1', '007', 'null', '', ' x ', '1e5'),
    )
    .filter((any) => !isJsonDocument(any));
  const scalar = fc.oneof(
    text,
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }).map((value) => value + 0),
    fc.array(fc.oneof(fc.integer(), word), { maxLength: 3 }),
    fc.dictionary(word, fc.oneof(fc.integer(), word), { maxKeys: 3 }),
  );
  const device = fc.record(
    {
      importMode: fc.constantFrom('create', 'createOrUpdate', 'updateTwin', 'delete'),
      status: fc.constantFrom('enabled', 'disabled'),
      statusReason: fc.constantFrom('of a reason', '1', 'true', ''),
      authentication: fc.constantFrom(
        { type: 'sas', symmetricKey: { primaryKey: KEY_1, secondaryKey: KEY_2 } },
        { type: 'certificateAuthority' },
        { type: 'selfSigned', x509Thumbprint: { primaryThumbprint: 'AB'.repeat(20) } },
      ),
      tags: fc.record({ site: scalar, place: fc.record({ floor: scalar }) }, { requiredKeys: [] }),
      properties: fc.record({ desired: fc.record({ interval: scalar }) }),
      capabilities: fc.record({ iotEdge: fc.boolean() }),
    },
    { requiredKeys: ['importMode', 'status'] },
  );

  it('are accepted as the same lines', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(device, { minLength: 1, maxLength: 5 }),
        fc.constantFrom(',', ';', '\t'),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.integer({ min: 1, max: 64 }),
        async (devices, delimiter, newline, zipped, size) => {
          const numbered = devices.map((each, index) => ({ id: `d-${index}`, ...each }));
          const csv = Buffer.from(csvOf(numbered, { delimiter, newline }));
          const options = DEFAULTS;
          const lines = await checkText(numbered.map(line).join(''), options);
          const rows = await checkText(zipped ? gzipSync(csv) : csv, { ...options, format: 'csv' }, size);
          const told = ({ accepted, rejected }: typeof lines) => ({
            accepted: accepted.map((each) => [each.id, each.mode, each.missing, withoutEmpty(JSON.parse(each.text))]),
            rejected: rejected.map(({ id, code, path }) => [id, code, path]),
          });
          expect(told(rows)).toEqual(told(lines));
        },
      ),
      { numRuns: 300 },
    );
  });

  function isJsonDocument(any: string): boolean {
    if (!/^[{[]/.test(any)) return false;
    try {
      JSON.parse(any);
      return true;
    } catch {
      return false;
    }
  }

  /** An object without members has no cells; in a line it stands there. */
  function withoutEmpty(value: Record<string, unknown>): unknown {
    for (const key of ['tags', 'properties']) {
      const { [key]: section } = value;
      prune(section);
      if (typeof section === 'object' && Object.keys(section ?? {}).length === 0) delete value[key];
    }
    return value;
  }

  function prune(value: unknown): void {
    if (typeof value !== 'object' || value === null) return;
    for (const name of ['place', 'desired']) {
      const inner = (value as Record<string, unknown>)[name];
      if (typeof inner === 'object' && inner !== null && Object.keys(inner).length === 0) {
        delete (value as Record<string, unknown>)[name];
      }
    }
  }
});

it('says nothing of the secrets in a CSV file', async () => {
  const secret = fc.oneof(
    fc.uint8Array({ minLength: 16, maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .map((bytes) => `SharedAccessSignature sr=hub&sig=${encodeURIComponent(Buffer.from(bytes).toString('base64'))}`),
  );
  const places: readonly ((s: string) => string)[] = [
    (s) => `${s},${s}\n`,
    (s) => `id,${s}\nd,1\n`,
    (s) => `id,tags.${s}\nd,a b\n`,
    (s) => `id,tags.${s},TAG:${s}\nd,\n`,
    (s) => `id,tags.${s},tags.${s}.a\nd,\n`,
    (s) => `id,tags.${s}..a\nd,\n`,
    (s) => `id,status,importMode,capabilities.iotEdge\nd,${s},${s},${s}\n`,
    (s) => `id,authentication.symmetricKey.primaryKey\nd,${s}\n`,
    (s) => `id,authentication.symmetricKey.primaryKey,authentication.symmetricKey.secondaryKey\nd,${s}!,${s}\n`,
    (s) => `id,tags.a\nd,${s}"\n`,
    (s) => `id,tags.a\nd,"${s}"${s}\n`,
    (s) => `id,tags.a\nd,"${s}\n`,
    (s) => `id,parent,deviceScope\nd,${s},${s},${s}\n`,
    (s) => `{"id":"${s}"}\n`,
    (s) => `id,tags.a\nd,1\ne,${s}\n`,
    (s) => `id,tags.a\nd,true\ne,"${s}"\nf,2\n`,
    (s) => `id,Spalte\nd,\ne,"${s}"\n`,
    (s) => `id,\nd,\ne,"${s}"\n`,
    (s) => `id,tags.a ${s}\nd,a b\n`,
    (s) => `id,primaryKey ${s}\nd,a b\n`,
    (s) => `Device ID ${s},status\nd,a b\n`,
  ];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...places), secret, async (place, s) => {
      const said = await checkText(place(s), { ...CREATE, format: 'csv' }).then(
        ({ rejected, warnings }) => [
          ...rejected.flatMap(({ reason, path = '' }) => [reason, path]),
          ...warnings.map(({ message }) => message),
        ],
        (error: FileRefused) => [error.message, error.action],
      );
      const leaked = Array.from({ length: Math.max(0, s.length - 11) }, (_, at) => s.slice(at, at + 12)).filter(
        (part) => said.join('\n').includes(part) && !part.startsWith('SharedAccess'),
      );
      expect(leaked).toEqual([]);
    }),
    { numRuns: 600 },
  );
});
