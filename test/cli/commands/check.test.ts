import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { onTerminal, tornLines } from '../onTerminal.ts';
import { runCli } from '../runCli.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cli-check-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function fileOf(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const good = '{"id":"a","importMode":"create"}\n{"id":"b","importMode":"delete"}\n';

test('a file without problems is counted by mode', async () => {
  const { code, stdout, stderr } = await runCli(['check', await fileOf('good.txt', good)]);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/: 2 lines, 66 B\n\n {2}importable +2 {2}2 devices: create 1, delete 1\n$/);
});

test('problems and warnings are told with their line numbers, in the order of the file', async () => {
  const lines = [
    good.trimEnd(),
    'oops',
    '{"id":"c","importMode":"create","colour":1}',
    '{"id":"a","importMode":"create"}',
  ];
  const path = await fileOf('bad.txt', lines.join('\n'));
  const [text, json] = await Promise.all([runCli(['check', path]), runCli(['check', path, '--json'])]);
  expect([text.code, json.code]).toEqual([1, 1]);
  expect(
    text.stdout
      .split('\n')
      .slice(0, 3)
      .map((line) => line.slice(0, 24)),
  ).toEqual(['line 3      rejected  Th', 'line 4      warning   c:', 'line 5      rejected  a:']);
  expect(text.stdout).toMatch(/rejected +2\n {2}warnings +1\n$/);
  const result = JSON.parse(json.stdout);
  expect(result).toMatchObject({
    file: path,
    summary: { lines: 5, devices: 3, rejected: 2, warnings: 1 },
    problems: [
      { line: 3, code: 'notAnObject' },
      { line: 5, code: 'duplicate' },
    ],
    warnings: [{ line: 4, id: 'c', code: 'unknownKey' }],
  });
  expect(result.refusal).toBeUndefined();
});

test('options that would make a run refuse the file are told, and exit with 2', async () => {
  const path = await fileOf('refused.txt', `${good}oops\n`);
  const [abort, few] = await Promise.all([
    runCli(['check', path, '--on-invalid-line', 'abort']),
    runCli(['check', path, '--max-rejects', '0']),
  ]);
  expect([abort.code, few.code]).toEqual([2, 2]);
  expect(abort.stdout).toMatch(/A run would be refused: 1 of \d+ lines is invalid, and onInvalidLine is abort/);
  expect(few.stdout).toContain('more than maxRejects (0) allows');
});

test('ten thousand problems are cut to fifty unless all are asked for', async () => {
  const path = await fileOf('many.txt', 'oops\n'.repeat(10_000).replace('oops', '{"id":"a","importMode":"create"}'));
  const [some, all] = await Promise.all([runCli(['check', path]), runCli(['check', path, '--all'])]);
  expect(some.stdout.match(/^line /gm)).toHaveLength(50);
  expect(some.stdout).toContain('… 9,949 more problems not shown: --all shows them all.');
  expect(all.stdout.match(/^line /gm)).toHaveLength(9_999);
  expect(all.stdout).toMatch(/rejected +9,999\n$/);
});

test('what is no devices file at all is wrong input', async () => {
  const path = await fileOf('binary', '\u0000\u0001\u0002');
  const { code, stdout, stderr } = await runCli(['check', path]);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(`${path}, line 1: The file is not text.\n`);
});

test('of a CSV file the first rows are shown as they say it, without their keys', async () => {
  const key = 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';
  const keys = 'authentication.symmetricKey.primaryKey;authentication.symmetricKey.secondaryKey';
  const path = await fileOf(
    'devices.csv',
    `id;importMode;${keys};tags.floor;colour;status\na;create;${key};${key};1;\na b;;;;2;\nb;create;;;"3";\nc;create;;;;;enabled\nd\n`,
  );
  const [text, json] = await Promise.all([runCli(['check', path]), runCli(['check', path, '--json'])]);
  expect([text.code, json.code]).toEqual([1, 1]);
  expect(text.stdout + json.stdout).not.toContain(key);
  const device = (id: string, more: object = {}) => ({ id, importMode: 'create', ...more });
  const shown = [
    {
      line: 2,
      device: device('a', {
        authentication: { symmetricKey: { primaryKey: '…', secondaryKey: '…' } },
        tags: { floor: 1 },
      }),
    },
    { line: 4, device: device('b', { tags: { floor: '3' } }) },
    { line: 5, device: device('c', { status: 'enabled' }) },
  ];
  expect(JSON.parse(json.stdout)).toMatchObject({
    summary: { lines: 5, devices: 4, rejected: 1 },
    problems: [{ line: 3 }],
    warnings: [
      { line: 1, code: 'unknownColumn' },
      { line: 1, code: 'mixedColumn' },
    ],
    preview: shown,
  });
  expect(text.stdout).toContain(
    `The first rows, as they are read:\n${shown.map((row) => `line ${row.line}      ${JSON.stringify(row.device)}\n`).join('')}\n`,
  );
});

test('with --configurations their lines are checked too, without showing what they hold', async () => {
  const file = await fileOf('with.txt', good);
  const content = { deviceContent: { 'properties.desired.password': 'hunter2' } };
  const lines = [
    { Id: 'a', Content: content },
    { id: 'Upper', content: { deviceContent: { hunter2: 1 } } },
  ];
  const configurations = await fileOf('c.txt', lines.map((line) => JSON.stringify(line)).join('\n'));
  const args = ['check', file, '--configurations', configurations];
  const [text, json, abort] = await Promise.all([
    runCli(args),
    runCli([...args, '--json']),
    runCli([...args, '--on-invalid-line', 'abort']),
  ]);
  expect([text.code, json.code, abort.code]).toEqual([1, 1, 2]);
  expect(text.stdout).toMatch(/line 2 +rejected {2}id is none that a hub takes.*\n.*: 1 configuration, 1 rejected\n$/);
  expect(text.stdout).toContain('does not begin with "properties.desired"');
  expect(abort.stdout).toContain('1 of 2 configurations is invalid, and onInvalidLine is abort');
  expect(JSON.parse(json.stdout).configurations).toMatchObject({
    accepted: 1,
    rejected: 1,
    lines: [
      { line: 1, kind: 'accepted', id: 'a' },
      { line: 2, code: 'configurationId' },
    ],
  });
  expect(text.stdout + json.stdout).not.toContain('hunter2');

  const array = await fileOf('array.txt', '[{"id":"a"}]');
  const refused = await runCli(['check', file, '--configurations', array]);
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`${array} cannot be read: it is a JSON array`),
  });
  const missing = await runCli(['check', file, '--configurations', `${array}x`]);
  expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no such file') });
});

test('skipped lines are told with their number and why, also as JSON', async () => {
  const skipped = ['Keys are left out of this export.', '{"id":"a","moduleId":"$edgeHub","importMode":"create"}'];
  const path = await fileOf('skipped.txt', [skipped[0], ...good.trimEnd().split('\n'), skipped[1]].join('\n'));
  const [text, json] = await Promise.all([runCli(['check', path]), runCli(['check', path, '--json'])]);
  expect([text.code, json.code]).toEqual([0, 0]);
  expect(text.stdout.split('\n').slice(0, 3)).toEqual([
    'line 1      skipped   The first line is plain text, as in an export without keys. Nothing to do.',
    expect.stringMatching(/^line 4 {6}skipped {3}a\/\$edgeHub: The line is an edge system module/),
    '',
  ]);
  expect(text.stdout).toMatch(/skipped +2\n$/);
  expect(JSON.parse(json.stdout)).toMatchObject({
    summary: { lines: 4, skipped: 2 },
    problems: [],
    warnings: [],
    skipped: [
      { line: 1, code: 'plainFirstLine', reason: expect.stringContaining('plain text') },
      { line: 4, id: 'a', moduleId: '$edgeHub', code: 'systemModule' },
    ],
  });

  const configurations = await fileOf('skipped-configurations.txt', 'An export.\n{"id":"a","content":{}}\n');
  const both = await runCli(['check', path, '--configurations', configurations]);
  expect(both.stdout).toMatch(
    /\nline 1 {6}skipped {3}The first line is plain text, as in an export\. Nothing to do\.\n/,
  );
});

test('more than fifty skipped lines are cut, and counted', async () => {
  const line = (n: number) => `{"id":"d${n}","moduleId":"$edgeAgent","importMode":"create"}\n`;
  const path = await fileOf('many-skipped.txt', Array.from({ length: 53 }, (_, n) => line(n)).join(''));
  const { stdout } = await runCli(['check', path]);
  expect(stdout.match(/^line \d+ +skipped /gm)).toHaveLength(50);
  expect(stdout).toContain('… 3 more skipped lines not shown: --all shows them all.');
});

describe('on a terminal of 80 columns no line is torn', () => {
  test('of the findings and the summary', async () => {
    const deep = Array.from({ length: 40 }, (_, n) => `level${n}`).reduceRight<object>(
      (inner, key) => ({ [key]: inner }),
      {},
    );
    const modes = ['create', 'create', 'create', 'createOrUpdate', 'update', 'updateTwin', 'delete'];
    const lines = modes.map((importMode, n) => JSON.stringify({ id: `device-${n}`, importMode }));
    lines.push(
      JSON.stringify({ id: 'm', moduleId: 'a', importMode: 'create' }),
      JSON.stringify({ id: 'deep', importMode: 'create', tags: deep }),
    );
    const path = await fileOf('wide.txt', lines.join('\n'));
    const { code, stdout } = await onTerminal(80, ['check', path]);
    expect(code).toBe(1);
    expect(tornLines(stdout, 80)).toEqual([]);
    expect(stdout).toMatch(/^line 9 {6}rejected {2}deep:\n {22}tags\.level0\..*\.\n {22}level7\..*\n( {22}\S.*\n)+\n/);
    expect(stdout).toMatch(
      / {2}importable {10}8 {2}7 devices, 1 module: create 4, .*,\n {25}update 1, updateTwin 1, delete 1\n {2}rejected/,
    );
  });

  test('of the first rows of a CSV file', async () => {
    const columns = Array.from({ length: 12 }, (_, n) => `tags.column${n}`);
    const path = await fileOf('wide.csv', `id,${columns.join(',')}\na,${columns.map(() => '1').join(',')}\n`);
    const { stdout } = await onTerminal(80, ['check', path]);
    expect(stdout).toMatch(/^line 2 {6}\{"id":"a".*…$/m);
    expect(tornLines(stdout, 80)).toEqual([]);
  });

  test('of what is said of configurations', async () => {
    const path = await fileOf('narrow.txt', good);
    const configurations = await fileOf(
      'wide-configurations.txt',
      JSON.stringify({ id: 'a', content: { deviceContent: { 'properties.wanted': 1 } } }),
    );
    const { code, stdout } = await onTerminal(80, ['check', path, '--configurations', configurations]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/\nline 1 {6}rejected {2}a: .*\n {22}\S/);
    expect(tornLines(stdout.replace(configurations, 'c'), 80)).toEqual([]);
  });
});
