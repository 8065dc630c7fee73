import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { type Child, describeExit, startChild } from '../../../local/stack/childProcess.ts';
import { identityOf, isAlive } from '../../../local/stack/processIdentity.ts';
import { projectRoot } from '../../../local/stack/projectRoot.ts';

let folder: string;
const started: Child<unknown>[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'child-'));
});

afterEach(async () => {
  const leaked = started.splice(0).filter((child) => isAlive({ pid: child.pid }));
  await Promise.all(leaked.map((child) => child.kill()));
  await rm(folder, { recursive: true });
  expect(leaked.map((child) => child.name)).toEqual([]);
});

async function start(
  program: string,
  readyTimeoutMs = 20_000,
  output: 'pipe' | 'log' = 'pipe',
): Promise<Child<string>> {
  const file = join(folder, 'program.mjs');
  await writeFile(file, program);
  const child = await startChild({
    name: 'The part',
    args: [file],
    cwd: folder,
    env: process.env,
    logFile: join(folder, 'part.log'),
    readyTimeoutMs,
    output,
    parseReady: (line) => /^ready (.*)$/.exec(line)?.[1],
  });
  started.push(child);
  return child;
}

const log = () => readFile(join(folder, 'part.log'), 'utf8');

test('a child is ready with its ready line, which is the only line of it that is not logged', async () => {
  const child = await start(`
    console.log('before'); console.log('ready secret'); console.log('after'); console.error('to stderr');
    setInterval(() => {}, 1000);
  `);
  expect(child.ready).toBe('secret');
  await expect.poll(log).toContain('after');
  await child.stop(5000);
  expect((await log()).trimEnd().split('\n').sort()).toEqual(['after', 'before', 'to stderr']);
});

test('a child can write straight into its log, and does so without this process', async () => {
  const child = await start(
    `console.log('before'); setTimeout(() => console.log('ready now'), 100); setInterval(() => {}, 1000);
     process.once('SIGTERM', () => { console.log('stopping'); process.exit(0); });`,
    20_000,
    'log',
  );
  expect(child.ready).toBe('now');
  await child.stop(5000);
  expect(await log()).toBe('before\nready now\nstopping\n');
  expect(await child.exited).toEqual({ code: 0, signal: null });
});

test('a child that ends before it is ready is an error with its last words', async () => {
  await expect(start(`console.error('no such port'); process.exitCode = 7;`)).rejects.toThrow(
    /The part ended while it started \(exit code 7\)\.\n {2}no such port/,
  );
});

test('a child that never gets ready is killed and named', async () => {
  const silent = start(`console.error(process.pid); setInterval(() => {}, 1000);`, 1500);
  await expect(silent).rejects.toThrow('The part was not ready within 1.5 s.');
  expect(isAlive({ pid: Number((await log()).trim()) })).toBe(false);
});

test('a child that does not care about SIGTERM is killed after its grace, with the children of its own', async () => {
  const child = await start(`
    import { spawn } from 'node:child_process';
    const own = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    process.on('SIGTERM', () => {});
    setInterval(() => {}, 1000);
    console.log('ready ' + own.pid);
  `);
  expect(child.isEnding()).toBe(false);
  await child.stop(300);
  expect(child.isEnding()).toBe(true);
  expect(describeExit(await child.exited)).toBe('signal SIGKILL');
  await expect.poll(() => isAlive(identityOf(Number(child.ready)))).toBe(false);
});

test('a child that ends by itself is told apart from one that was stopped', async () => {
  const child = await start(`console.log('ready x'); setTimeout(() => { console.error('oh'); process.exit(4); }, 50);`);
  expect(describeExit(await child.exited)).toBe('exit code 4');
  expect(child.isEnding()).toBe(false);
  expect(child.lastLogLines()).toEqual(['oh']);
  await child.stop(1000);
});

test('a child does not outlive a process that falls over', async () => {
  const supervisor = join(folder, 'supervisor.mjs');
  const part = join(folder, 'program.mjs');
  await writeFile(part, `console.log('ready ' + process.pid); setInterval(() => {}, 1000);`);
  await writeFile(
    supervisor,
    `import { startChild } from ${JSON.stringify(join(projectRoot(), 'local/stack/childProcess.ts'))};
     const child = await startChild({
       name: 'The part', args: [${JSON.stringify(part)}], cwd: ${JSON.stringify(folder)}, env: process.env,
       logFile: ${JSON.stringify(join(folder, 'part.log'))}, readyTimeoutMs: 20_000, output: 'pipe',
       parseReady: (line) => /^ready (.*)$/.exec(line)?.[1],
     });
     console.log(child.ready);
     setTimeout(() => { throw new Error('a fault'); }, 10);`,
  );
  const { status, stdout } = spawnSync(process.execPath, [supervisor], { encoding: 'utf8' });
  expect(status).toBe(1);
  await expect.poll(() => isAlive({ pid: Number(stdout.trim()) })).toBe(false);
});
