import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';

import { bytesText } from '../../../src/lib/bytesText.ts';
import { eventually } from '../../helpers/eventually.ts';
import { onTerminal, tornLines } from '../onTerminal.ts';
import { runCli, startCli } from '../runCli.ts';

const KEY = 'cHJpbWFyeUtleW9mYWRldmljZTAwMDA=';
const OTHER = 'c2Vjb25kYXJ5S2V5b2ZhZGV2aWNlMDA=';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cli-plan-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function fileOf(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** As a hub exports it: the order of its keys, nulls, modules. */
function exported(id: string, members: object = {}, key = KEY): string {
  return JSON.stringify({
    id,
    eTag: 'ODAxMjMyNDI2',
    status: 'enabled',
    statusReason: null,
    authentication: {
      symmetricKey: { primaryKey: key, secondaryKey: OTHER },
      x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
      type: 'sas',
    },
    twinETag: 'AAAAAAAAAAE=',
    tags: {},
    properties: { desired: {}, reported: {} },
    capabilities: { iotEdge: false },
    ...members,
  });
}

describe('two files', () => {
  it('that say the same in other words are no change', async () => {
    const [before, after] = await Promise.all([
      fileOf('same-before.txt', `${exported('a')}\n${exported('b', { tags: { site: 'x', floor: 1 } })}\n`),
      fileOf(
        'same-after.txt.gz',
        gzipSync(
          `\ufeff{"tags":{"floor":1.0,"site":"x"},"id":"b","status":"Enabled","importMode":"update","authentication":{"type":"sas","symmetricKey":{"secondaryKey":"${OTHER}","primaryKey":"${KEY}"}}}\r\n\r\n{"id":"a","moduleId":null,"status":"enabled"}\r\n`,
        ),
      ),
    ]);
    const [text, json] = await Promise.all([
      runCli(['plan', before, after]),
      runCli(['plan', before, after, '--json']),
    ]);
    expect([text.code, text.stderr, json.code]).toEqual([0, '', 0]);
    expect(text.stdout).toBe(
      [
        `From ${before} to ${after}:`,
        '',
        '             devices  modules',
        '  create           0        0',
        '  change           0        0',
        '  delete           0        0',
        '  unchanged        2        0',
        '',
        'The keys or thumbprints of 1 identity stand on one side only, and were not compared.',
        '',
      ].join('\n'),
    );
    expect(JSON.parse(json.stdout)).toEqual({
      ...{ before, after, create: 0, change: 0, delete: 0, unchanged: 2, rejected: 0, keysUnknown: 1 },
      modules: { create: 0, change: 0, delete: 0, unchanged: 0 },
      changes: [],
      rejectedLines: [],
    });
  });

  it('are told apart by identity and field, and no key is shown', async () => {
    const before = await fileOf(
      'before.txt',
      [
        exported('gone'),
        exported('keys'),
        exported('pump', { tags: { site: 'a' }, properties: { desired: { a: { b: 1 } }, reported: { x: 1 } } }),
        exported('pump', { moduleId: 'filter' }),
      ].join('\n'),
    );
    const after = await fileOf(
      'after.txt',
      [
        exported('new'),
        exported('keys', {}, OTHER),
        exported('pump', { tags: { site: 'b' }, properties: { desired: { a: { b: 2 } }, reported: { x: 2 } } }),
        exported('pump', { moduleId: 'other' }),
      ].join('\n'),
    );
    const out = join(folder, 'changes.ndjson');
    const [text, json] = await Promise.all([
      runCli(['plan', before, after, '--out', out]),
      runCli(['plan', before, after, '--json']),
    ]);
    const changes = [
      { id: 'gone', change: 'deleted', fields: [] },
      { id: 'keys', change: 'changed', fields: ['authentication.symmetricKey.primaryKey'] },
      { id: 'new', change: 'created', fields: [] },
      { id: 'pump', change: 'changed', fields: ['tags.site', 'properties.desired.a.b'] },
      { id: 'pump', moduleId: 'filter', change: 'deleted', fields: [] },
      { id: 'pump', moduleId: 'other', change: 'created', fields: [] },
    ];
    expect([text.code, json.code]).toEqual([1, 1]);
    expect(JSON.parse(json.stdout)).toMatchObject({ create: 2, change: 2, delete: 2, unchanged: 0, changes });
    const written = (await readFile(out, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(written).toHaveLength(6);
    expect(written).toEqual(expect.arrayContaining(changes));
    expect(text.stdout).toContain(
      [
        'The changes:',
        '',
        '  deleted  gone',
        '  changed  keys         authentication.symmetricKey.primaryKey',
        '  created  new',
        '  changed  pump         tags.site, properties.desired.a.b',
        '  deleted  pump/filter',
        '  created  pump/other',
        '',
        `6 changes, one a line: ${out}`,
      ].join('\n'),
    );
    for (const said of [text.stdout, json.stdout, JSON.stringify(written)]) {
      expect(said).not.toContain(KEY);
      expect(said).not.toContain(OTHER);
    }
  });

  it('without keys in the first may have thumbprints in the second', async () => {
    const x509 = { symmetricKey: { primaryKey: null, secondaryKey: null }, type: 'selfSigned' };
    const thumbprints = (primaryThumbprint: string | null) => ({
      authentication: { ...x509, x509Thumbprint: { primaryThumbprint, secondaryThumbprint: null } },
    });
    const keyless = await fileOf('keyless.txt', `Keys are not exported.\n${exported('a', thumbprints(null))}\n`);
    const keyed = await fileOf('keyed.txt', `${exported('a', thumbprints('AB'.repeat(20)))}\n`);
    const { code, stdout } = await runCli(['plan', keyless, keyed, '--json']);
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { unchanged: 1, keysUnknown: 1 }]);
  });
});

test('lines that are no identity, or one a second time, are named with their file, and the exit code is 1', async () => {
  const broken = await fileOf(
    'broken.txt',
    Buffer.concat([
      Buffer.from(`${exported('a')}\n{"id":"b","authentication":"${KEY}\n${exported('a', { tags: { x: 1 } })}\n`),
      Buffer.from([0x7b, 0xff, 0x7d, 0x0a]),
      Buffer.from(`${'{"id":"long","tags":{"a":"'.padEnd(1_100_000, 'x')}"}}\n`),
    ]),
  );
  const good = await fileOf('good.txt', exported('a'));
  const [text, json] = await Promise.all([runCli(['plan', broken, good]), runCli(['plan', broken, good, '--json'])]);
  expect([text.code, json.code]).toEqual([1, 1]);
  expect(JSON.parse(json.stdout)).toMatchObject({
    ...{ create: 0, change: 0, delete: 0, unchanged: 1, rejected: 4 },
    rejectedLines: [
      { file: broken, line: 2, code: 'badJson' },
      { file: broken, line: 3, code: 'duplicate', id: 'a' },
      { file: broken, line: 4, code: 'badUtf8' },
      { file: broken, line: 5, code: 'lineTooLong' },
    ],
  });
  expect(text.stdout).toContain(`Not compared, in ${broken}:\nline 2      rejected  The line is not valid JSON`);
  expect(text.stdout).toContain('a: The line is a duplicate of line 1: both have the same id.');
  expect(text.stdout + text.stderr).not.toContain(KEY);
});

test('many changes are shown in part, by their ids, and the command for all of them is named', async () => {
  const line = (index: number) => exported(`device-${String(index).padStart(3, '0')}`);
  const before = await fileOf('none.txt', exported('other'));
  const after = await fileOf(
    'many.txt',
    [exported('other'), ...Array.from({ length: 99 }, (_, at) => line(at))].join('\n'),
  );
  const { code, stdout } = await runCli(['plan', before, after]);
  expect(code).toBe(1);
  expect(stdout).toContain('The first 20 of 99 changes:\n\n  created  device-000\n  created  device-001\n');
  expect(stdout).toContain('  created  device-019\n\nAll of them, one a line: ');
  expect(stdout).toMatch(/plan \S+none\.txt \S+many\.txt --out FILE\n$/);
});

test.each([80, 160])('nothing is wider than a terminal of %i columns', async (columns) => {
  const wide = (members: object) => exported(`a-device-with-a-long-id-${'x'.repeat(100)}`, members);
  const tags = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`tag_number_${index}`, index]));
  await fileOf('b', `${wide({})}\n${wide({ moduleId: 'm'.repeat(100) })}\n{"id":\n`);
  await fileOf('a', `${wide({ tags: { ...tags, deep: { a: { b: { c: 1 } } } } })}\n`);
  const here = process.cwd();
  process.chdir(folder);
  try {
    const { code, stdout } = await onTerminal(columns, ['plan', 'b', 'a']);
    expect([code, tornLines(stdout, columns)]).toEqual([1, []]);
    expect(stdout).toContain('and 25 more');
    expect(stdout).toMatch(/changed {2}a-device-\S+…x+ {2}tags\.deep\.a\.b\.c,/);
  } finally {
    process.chdir(here);
  }
});

test('wrong usage and files of another form are named, and end with 2', async () => {
  const [good, csv, array, binary] = await Promise.all([
    fileOf('usage.txt', exported('a')),
    fileOf('devices.csv', 'id\na\n'),
    fileOf('array.json', '[{"id":"a"}]'),
    fileOf('binary.bin', Buffer.from([1, 0, 2])),
  ]);
  const torn = await fileOf('torn.gz', gzipSync(exported('a').repeat(200)).subarray(0, 60));
  const cases: readonly (readonly [args: readonly string[], said: string])[] = [
    [[], 'Give a file, two files, --backup NAME or --run ID.'],
    [[good, '--backup', 'latest'], 'A plan is of a file or of a backup.'],
    [[good, good, '--to', 'default'], 'no hub has a part in it.'],
    [[good, '--out', 'x'], 'Leave out --mode, --only and --out'],
    [[good, join(folder, 'missing')], 'missing: there is no such file.'],
    [[folder, good], 'is a directory.'],
    [[good, csv], 'devices.csv is CSV'],
    [[array, good], 'array.json, line 1: The file is a JSON array'],
    [[good, binary], 'binary.bin, line 1: The file is not text.'],
    [[good, torn], 'The gzip data ends too early'],
    [[good, good, '--out', join(folder, 'no', 'file')], 'its folder is not there.'],
    [[good, good, '--out', good], 'usage.txt is one of the files that are compared.'],
  ];
  const results = await Promise.all(cases.map(([args]) => runCli(['plan', ...args])));
  expect(results.map(({ code }) => code)).toEqual(cases.map(() => 2));
  for (const [index, { stderr }] of results.entries()) expect(stderr).toContain(cases[index]?.[1]);
  expect(await readFile(good, 'utf8')).toBe(exported('a'));
});

test('a file without a byte is a hub without devices', async () => {
  const [empty, one] = await Promise.all([fileOf('empty.txt', ''), fileOf('one.txt', exported('a'))]);
  const { code, stdout, stderr } = await runCli(['plan', one, empty, '--json']);
  expect([code, JSON.parse(stdout)]).toMatchObject([1, { delete: 1, create: 0 }]);
  expect(stderr).toContain('empty.txt is empty: it is taken for a hub without devices.');
});

test('what was put aside goes, also when it is interrupted', async () => {
  const own = join(folder, 'tmp');
  await mkdir(own);
  const lines = (tag: string) =>
    Array.from({ length: 40_000 }, (_, index) => exported(`d${index}`, { tags: { tag, fill: 'x'.repeat(500) } })).join(
      '\n',
    );
  const [before, after] = [await fileOf('large1.txt', lines('a')), await fileOf('large2.txt', lines('b'))];
  const { code } = await runCli(['plan', before, before], { TMPDIR: own });
  expect([code, readdirSync(own)]).toEqual([0, []]);

  const running = startCli(['plan', before, after], { TMPDIR: own });
  await eventually(() => readdirSync(own).find((name) => name.startsWith('hubkeeper-compare-')), 'a folder');
  running.process.kill('SIGINT');
  const result = await running.result;
  expect([result.code, result.stdout, readdirSync(own)]).toEqual([130, '', []]);
  expect(result.stderr).toContain('Interrupted.');
  expect(existsSync(own)).toBe(true);
});

// A limit of the shell on the size of files is met as a full disk is.
test.skipIf(process.platform === 'win32')(
  'a temporary folder without room ends with 3, and says how much is needed and what to do',
  async () => {
    const own = join(folder, 'full');
    await mkdir(own);
    const text = Array.from({ length: 20 }, (_, index) => exported(`d${index}`)).join('\n');
    const [file, packed] = [await fileOf('room.txt', text), await fileOf('room.txt.gz', gzipSync(text))];
    const shell = ['sh', '-c', 'trap "" XFSZ; ulimit -f 4; exec "$@"', 'sh'];
    const limited = (other: string) =>
      startCli(['plan', file, other], { TMPDIR: own, NODE_COMPILE_CACHE: '' }, shell).result;
    const [plain, unknown] = await Promise.all([limited(file), limited(packed)]);
    expect([plain.code, plain.stdout, unknown.code]).toEqual([3, '', 3]);
    const need = `takes about ${bytesText(text.length * 2)}.`;
    expect(plain.stderr).toContain(`There is no room left in the temporary folder ${own}`);
    expect(plain.stderr.replace(/\s+/g, ' ')).toContain(need);
    expect(plain.stderr).toContain('TMPDIR');
    expect(unknown.stderr.replace(/\s+/g, ' ')).toContain('as much as all of it unpacked');
    expect(readdirSync(own)).toEqual([]);
  },
);
