import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { projectRoot } from '../../../local/stack/projectRoot.ts';
import { runCli } from '../runCli.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cli-generate-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

test('the same seed gives the same devices, on stdout as in a file', async () => {
  const out = join(folder, 'devices.txt');
  const [first, other, file] = await Promise.all([
    runCli(['generate', '500', '--seed', 'a']),
    runCli(['generate', '500', '--seed', 'b', '--prefix', 'x:', '--import-mode', 'create']),
    runCli(['generate', '500', '--seed', 'a', '--out', out, '--json']),
  ]);
  expect([first.code, other.code, file.code]).toEqual([0, 0, 0]);
  const lines = first.stdout.trimEnd().split('\n');
  expect(new Set(lines.map((line) => JSON.parse(line).id)).size).toBe(500);
  expect(await readFile(out, 'utf8')).toBe(first.stdout);
  expect(JSON.parse(file.stdout)).toEqual({ file: out, devices: 500, bytes: first.stdout.length });
  expect(JSON.parse(other.stdout.split('\n')[499] ?? '')).toMatchObject({ id: 'x:00000500', importMode: 'create' });
});

test('without a seed the keys are those that everybody gets, and it says so', async () => {
  const [plain, seeded] = await Promise.all([runCli(['generate', '2']), runCli(['generate', '2', '--seed', '1'])]);
  expect(plain.stdout).toBe(seeded.stdout);
  expect([plain.code, plain.stderr]).toEqual([0, expect.stringContaining('give a --seed that nobody can guess')]);
  expect(seeded.stderr).toBe('');
});

test('a reader that goes away ends it quietly', async () => {
  const command = `"${process.execPath}" cli/main.ts generate 1000000 --seed a | head -n 2; echo "code \${PIPESTATUS[0]}"`;
  const { stdout, stderr } = await promisify(execFile)('bash', ['-c', command], { cwd: projectRoot() });
  expect(stderr).toBe('');
  expect(stdout.split('\n')).toEqual([
    expect.stringMatching(/^\{"id"/),
    expect.stringMatching(/^\{"id"/),
    'code 0',
    '',
  ]);
});

test('a file that cannot be written, and JSON without a file, are wrong usage', async () => {
  const [directory, missing, json] = await Promise.all([
    runCli(['generate', '1', '--out', folder]),
    runCli(['generate', '1', '--out', join(folder, 'no', 'file')]),
    runCli(['generate', '1', '--json']),
  ]);
  expect([directory.code, missing.code, json.code]).toEqual([2, 2, 2]);
  expect(directory.stderr).toContain('is a directory.');
  expect(missing.stderr).toContain('its folder is not there.');
  expect(json.stderr).toContain('Give a file with --out.');
});
