import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { newBatchName } from '../../cli/app/drop.ts';
import { errorLines, run } from '../../cli/program.ts';
import { onTerminal, tornLines } from './onTerminal.ts';
import { runCli } from './runCli.ts';

vi.stubEnv('HUBKEEPER_STORAGE', '');
vi.stubEnv('HUBKEEPER_API', '');

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cli-usage-'));
  await writeFile(join(folder, 'empty.txt'), '');
  await writeFile(join(folder, 'devices.csv'), 'device\na\n');
  await writeFile(join(folder, 'devices.txt'), '{"id":"a"}\n');
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

test.each<[string, string[], string]>([
  ['no such file', ['provision', 'nowhere.txt'], 'nowhere.txt: there is no such file.'],
  ['a directory', ['provision', '/tmp'], '/tmp is a directory.'],
  ['an empty file', ['provision', 'empty.txt'], 'empty.txt is empty: there is nothing to provision.'],
  ['an empty file to check', ['check', 'empty.txt'], 'empty.txt is empty'],
  ['a CSV file without header', ['check', 'devices.csv'], 'The header has no column "id".'],
  ['no file', ['provision'], "missing required argument 'file'"],
  ['an unknown verb', ['fleet'], "unknown command 'fleet'"],
  ['an unknown flag', ['runs', '--limits', '3'], "unknown option '--limits'"],
  ['an unknown import mode', ['provision', 'devices.txt', '--import-mode', 'upsert'], 'It is one of: create, '],
  ['a batch name with a slash', ['provision', 'devices.txt', '--batch', 'a/b'], 'Use letters, digits, dots'],
  ['a batch name of dots', ['provision', 'devices.txt', '--batch', '..'], 'Use letters, digits, dots'],
  ['a hub that is no alias', ['provision', 'devices.txt', '--hub', 'my-hub'], 'An alias has letters and digits only.'],
  ['a state that is none', ['runs', '--state', 'done'], 'Known states: accepted, running, completed, completedWith'],
  ['a hub that can be no alias', ['runs', '--hub', 'my-hub'], 'An alias has letters and digits only.'],
  ['a second hub called as the first', ['local', '--hub', 'default'], 'The first hub is called default'],
  ['help for an unknown verb', ['help', 'fleet'], "unknown command 'fleet'"],
  ['a dry run of a check', ['check', 'devices.txt', '--dry-run'], "unknown option '--dry-run'"],
  ['minutes of a check', ['check', 'devices.txt', '--retry-minutes', '5'], "unknown option '--retry-minutes'"],
  ['a check that is confirmed', ['check', 'devices.txt', '--confirm', 'hub'], "unknown option '--confirm'"],
  [
    'a report that is not waited for',
    ['provision', 'devices.txt', '--no-wait', '--report', 'r'],
    'With --no-wait there is no report yet that --report could download.',
  ],
  [
    'a report where a file is in the way',
    ['provision', 'devices.txt', '--report', 'empty.txt'],
    'empty.txt: a file is in its way.',
  ],
  ['a report below a file', ['run', '0123', '--report', 'empty.txt/below'], 'below: a file is in its way.'],
  [
    'a report where nothing can be written',
    ['provision', 'devices.txt', '--report', '/proc/report'],
    'The report cannot go to /proc/report: it cannot be written (ENOENT).',
  ],
  ['a list of no runs', ['runs', '--limit', '0'], 'It must be a whole number from 1 to 200.'],
  ['a list of too many runs', ['runs', '--limit', '201'], 'It must be a whole number from 1 to 200.'],
  ['two things to do with backups', ['backups', '--verify', '--prune'], '--verify and --prune are two things.'],
  ['a dry run of nothing', ['backups', '--dry-run'], '--dry-run says what --prune would do.'],
  ['half a number', ['check', 'devices.txt', '--max-rejects', '1.5'], 'It must be a whole number.'],
  ['an app that is not there', ['runs', '--data', '/nowhere'], 'No app to talk to'],
])('%s is wrong usage, said in two lines', async (_, args, message) => {
  const atHome = args.map((arg) => (/^(empty|devices)\./.test(arg) ? join(folder, arg) : arg));
  const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  let stderr = '';
  const errors = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
  try {
    expect(await run(atHome)).toBe(2);
    expect(stdout).not.toHaveBeenCalled();
  } finally {
    stdout.mockRestore();
    errors.mockRestore();
  }
  expect(stderr).toContain(message);
  expect(stderr.startsWith('hubkeeper: ')).toBe(true);
  expect(stderr.trimEnd().split('\n')).toHaveLength(2);
});

test('an API without a storage account is not mistaken for a local stack', async () => {
  const { code, stderr } = await runCli(['runs'], { HUBKEEPER_API: 'https://app.example/api' });
  expect([code, stderr]).toEqual([2, expect.stringContaining('HUBKEEPER_STORAGE is not')]);
});

test('without arguments the verbs are shown, as help shows them', async () => {
  const [{ code, stdout }, help, flag] = await Promise.all([runCli([]), runCli(['help']), runCli(['--help'])]);
  expect(code).toBe(2);
  expect([help.code, help.stdout, help.stderr]).toEqual([0, stdout, '']);
  expect(flag.stdout).toBe(stdout);
  for (const verb of [
    'provision',
    'check',
    'generate',
    'runs',
    'run',
    'cancel',
    'suspend',
    'resume',
    'backup',
    'backups',
    'local',
  ])
    expect(stdout).toContain(`  ${verb} `);
});

test('help shows all about a command, as its --help does', async () => {
  const [help, flag] = await Promise.all([runCli(['help', 'runs']), runCli(['runs', '--help'])]);
  expect([help.code, help.stdout]).toEqual([0, flag.stdout]);
  expect(help.stdout).toContain('Usage: hubkeeper runs [options]\n\nlist the latest runs\n');
});

test('what an error tells to type is there to be typed', async () => {
  const [verb, flag, noApp] = await Promise.all([
    runCli(['fleet']),
    runCli(['runs', '--limits', '3']),
    runCli(['runs', '--data', '/no where']),
  ]);
  expect(verb.stderr).toBe("hubkeeper: unknown command 'fleet'\nSee npx hubkeeper --help.\n");
  expect(flag.stderr).toBe(
    "hubkeeper: unknown option '--limits' (Did you mean --limit?)\nSee npx hubkeeper runs --help.\n",
  );
  expect(noApp.stderr).toBe(
    'hubkeeper: No app to talk to: HUBKEEPER_STORAGE is not set, and no local stack is up on /no where.\n' +
      "Start one with npx hubkeeper local --data '/no where', or set HUBKEEPER_STORAGE to the storage account of a deployed app.\n",
  );
});

test('an error fits the terminal, and a command in it stays in one piece', () => {
  const message = 'The file is empty: there is nothing to provision.\nIts last words.';
  const command = 'Start one with npx hubkeeper local --data somewhere/else, or set HUBKEEPER_STORAGE.';
  expect(errorLines(message, command, 40)).toEqual([
    'hubkeeper: The file is empty: there is',
    'nothing to provision.',
    'Its last words.',
    'Start one with',
    'npx hubkeeper local --data somewhere/else,',
    'or set HUBKEEPER_STORAGE.',
  ]);
  expect(errorLines(message, 'Check the name, and the folder that you are in.', 40).slice(-2)).toEqual([
    'Check the name, and the folder that you',
    'are in.',
  ]);
  expect(errorLines(message, undefined, undefined)).toEqual(`hubkeeper: ${message}`.split('\n'));
});

test('no line of an error is torn by a terminal of 80 columns', async () => {
  const { code, stdout, stderr } = await onTerminal(80, ['runs', '--data', '/nowhere']);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toBe(
    'hubkeeper: No app to talk to: HUBKEEPER_STORAGE is not set, and no local stack\n' +
      'is up on /nowhere.\n' +
      'Start one with npx hubkeeper local --data /nowhere, or set HUBKEEPER_STORAGE to\n' +
      'the storage account of a deployed app.\n',
  );
  expect(tornLines(stderr, 80)).toEqual([]);
});

test('flags that would do nothing are not in the help of check', async () => {
  const { stdout } = await runCli(['check', '--help']);
  const flags = [...stdout.matchAll(/^ {2}(?:-h, )?(--[a-z-]+)/gm)].map(([, flag]) => flag);
  expect(flags).toEqual([
    '--json',
    '--import-mode',
    '--on-invalid-line',
    '--max-rejects',
    '--missing-keys',
    '--backup-first',
    '--configurations',
    '--all',
    '--help',
  ]);
});

test('batches without a name sort by time and never meet', () => {
  const now = new Date('2026-11-20T10:11:12.345Z');
  expect(newBatchName(now)).toMatch(/^20261120T101112Z-[a-z]{4}$/);
  expect(new Set(Array.from({ length: 20 }, () => newBatchName(now))).size).toBeGreaterThan(15);
});
