import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { newBatchName } from '../../cli/drop.ts';
import { run } from '../../cli/program.ts';
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
  ['a CSV file without header', ['check', 'devices.csv'], 'The first row has no name of a column that is known.'],
  ['no file', ['provision'], "missing required argument 'file'"],
  ['an unknown verb', ['backup'], "unknown command 'backup'"],
  ['an unknown flag', ['runs', '--limits', '3'], "unknown option '--limits'"],
  ['an unknown import mode', ['provision', 'devices.txt', '--import-mode', 'upsert'], 'Known modes: create, '],
  ['a batch name with a slash', ['provision', 'devices.txt', '--batch', 'a/b'], 'Use letters, digits, dots'],
  ['a batch name of dots', ['provision', 'devices.txt', '--batch', '..'], 'Use letters, digits, dots'],
  ['a hub that is no alias', ['provision', 'devices.txt', '--hub', 'my-hub'], 'An alias has letters and digits only.'],
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

test('without arguments the verbs are shown', async () => {
  const { code, stdout } = await runCli([]);
  expect(code).toBe(2);
  for (const verb of ['provision', 'check', 'generate', 'runs', 'run', 'cancel', 'suspend', 'resume', 'local'])
    expect(stdout).toContain(`  ${verb} `);
});

test('batches without a name sort by time and never meet', () => {
  const now = new Date('2026-11-20T10:11:12.345Z');
  expect(newBatchName(now)).toMatch(/^20261120T101112Z-[a-z]{4}$/);
  expect(new Set(Array.from({ length: 20 }, () => newBatchName(now))).size).toBeGreaterThan(15);
});
