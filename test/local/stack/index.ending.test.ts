/** The real commands, with a terminal that goes away and a pipe that nobody reads any more: no process is left behind. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isAlive, type ProcessIdentity } from '../../../local/stack/processIdentity.ts';
import { projectRoot } from '../../../local/stack/projectRoot.ts';
import { readStackFile } from '../../../local/stack/stackFile.ts';
import { eventually } from '../../helpers/eventually.ts';

let folder: string;
let app: string;
const started: ChildProcess[] = [];
const parts: ProcessIdentity[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ending-'));
  app = join(folder, 'app');
  mkdirSync(app);
  symlinkSync(join(projectRoot(), 'node_modules'), join(app, 'node_modules'));
  writeFileSync(join(app, 'package.json'), '{ "name": "small-app", "type": "module", "main": "hello.js" }');
  writeFileSync(join(app, 'host.json'), '{ "version": "2.0" }');
  writeFileSync(
    join(app, 'hello.js'),
    `import { app } from '@azure/functions';
     app.http('hello', { authLevel: 'anonymous', handler: () => ({ body: 'hello' }) });`,
  );
});

afterAll(() => {
  const leaked = [...parts.filter(isAlive).map(({ pid }) => pid), ...started.filter(runs).map(({ pid }) => pid)];
  for (const pid of leaked) if (pid !== undefined) process.kill(pid, 'SIGKILL');
  rmSync(folder, { recursive: true });
  expect(leaked).toEqual([]);
});

const runs = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null;

function start(program: string, ...args: string[]): ChildProcess {
  const { PATH = '', HOME = '', TMPDIR = '/tmp', NODE_COMPILE_CACHE = '' } = process.env;
  const child = spawn(process.execPath, [join(projectRoot(), program), ...args], {
    env: { PATH, HOME, TMPDIR, NODE_COMPILE_CACHE },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  return child;
}

/** Nobody takes what is written any more: writing fails, as on a terminal that was closed. */
function stopReading(child: ChildProcess): void {
  child.stdout?.destroy();
  child.stderr?.destroy();
}

async function endOf(child: ChildProcess): Promise<number | null> {
  if (runs(child)) await once(child, 'exit');
  return child.exitCode;
}

const written = (child: ChildProcess, text: string) =>
  new Promise<void>((resolve, reject) => {
    let all = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      all += chunk;
      if (all.includes(text)) resolve();
    });
    child.once('exit', () => reject(new Error(`The process ended; it wrote:\n${all}`)));
  });

async function partsOf(data: string): Promise<readonly ProcessIdentity[]> {
  const file = readStackFile(data);
  const found = Object.values(file?.parts ?? {});
  parts.push(...found);
  return found;
}

test('a closed terminal stops the stack and all of its parts', async () => {
  const data = join(folder, 'hangup');
  const stack = start('cli/main.ts', 'local', '--data', data, '--no-sample');
  await written(stack, 'HubKeeper is running');
  const running = await partsOf(data);
  expect(running.map(isAlive)).toEqual([true, true, true]);
  stopReading(stack);
  stack.kill('SIGHUP');
  expect(await endOf(stack)).toBe(0);
  expect(running.map(isAlive)).toEqual([false, false, false]);
  expect(readStackFile(data)).toMatchObject({ ready: false, parts: {} });
});

test('a stack whose output nobody reads stops with all of its parts', async () => {
  const data = join(folder, 'pipe');
  const stack = start('cli/main.ts', 'local', '--data', data, '--no-sample');
  stopReading(stack);
  const running = await eventually(
    async () => {
      const found = await partsOf(data);
      return found.length === 3 ? found : undefined;
    },
    'three parts',
    60_000,
  );
  expect(await endOf(stack)).toBe(0);
  expect(running.map(isAlive)).toEqual([false, false, false]);
});

test.each([
  ['the hub simulator', 'local/hub/main.ts', () => ['--data', join(folder, 'hub')], 'is ready'],
  ['the Functions host', 'local/host/main.ts', () => [app, '--data', join(folder, 'host')], 'Ready:'],
])('a closed terminal stops %s cleanly, and so does a broken pipe', async (_name, program, args, ready) => {
  const hungUp = start(program, ...args());
  await written(hungUp, ready);
  stopReading(hungUp);
  hungUp.kill('SIGHUP');
  expect(await endOf(hungUp)).toBe(0);

  const unread = start(program, ...args());
  stopReading(unread);
  expect(await endOf(unread)).toBe(0);
});
