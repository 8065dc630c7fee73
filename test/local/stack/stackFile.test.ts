import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { endOrphans } from '../../../local/stack/orphans.ts';
import { identityOf, isAlive, type ProcessIdentity } from '../../../local/stack/processIdentity.ts';
import {
  findRunningStack,
  lockData,
  readStackFile,
  type StackFile,
  writeStackFile,
} from '../../../local/stack/stackFile.ts';

let data: string;

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'stack-file-'));
});

afterEach(() => {
  rmSync(data, { recursive: true });
});

const me = identityOf(process.pid);
const notMe: ProcessIdentity = { pid: process.pid, startTime: 'another boot/1' };

const file = (change: Partial<StackFile> = {}): StackFile => ({
  version: 1,
  ready: true,
  supervisor: me,
  parts: { azurite: me, hub: me, host: me },
  ports: {},
  ...change,
});

async function deadProcess(): Promise<ProcessIdentity> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'spawn');
  const identity = identityOf(child.pid ?? 0);
  await once(child, 'exit');
  return identity;
}

describe('the lock', () => {
  test('keeps a second stack off the same data until it is given back', () => {
    const unlock = lockData(data);
    expect(() => lockData(data)).toThrow(`A local stack is already running on ${data} (process ${process.pid}).`);
    unlock();
    lockData(data)();
    expect(existsSync(join(data, 'stack.lock'))).toBe(false);
  });

  test('of a process that is gone, or whose id belongs to another one by now, is taken over', async () => {
    for (const holder of [await deadProcess(), notMe]) {
      writeFileSync(join(data, 'stack.lock'), JSON.stringify(holder));
      lockData(data)();
    }
  });
});

describe('a running stack', () => {
  test('is found by its file, which only its owner may read', () => {
    writeStackFile(data, file());
    expect(findRunningStack(data)).toEqual(file());
    expect(statSync(join(data, 'stack.json')).mode & 0o777).toBe(0o600);
  });

  test('is not one that starts or stops, has lost its supervisor, or has lost a part', async () => {
    const gone = await deadProcess();
    for (const change of [
      { ready: false },
      { supervisor: gone },
      { supervisor: notMe },
      { parts: { azurite: me, hub: gone, host: me } },
    ]) {
      writeStackFile(data, file(change));
      expect(findRunningStack(data), JSON.stringify(change)).toBeUndefined();
    }
  });

  test('whose file is damaged or of another version is an error that says what to do', () => {
    for (const content of ['{"version":1,', '{"version":2}', '[]']) {
      writeFileSync(join(data, 'stack.json'), content);
      expect(() => readStackFile(data), content).toThrow(/stack\.json (cannot be read|is not a file of this version)/);
    }
  });
});

test('parts that outlived their supervisor are ended, a stranger with a recorded process id is not', async () => {
  const orphan = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  await once(orphan, 'spawn');
  const identity = identityOf(orphan.pid ?? 0);
  const exit = once(orphan, 'exit');
  await endOrphans(file({ parts: { azurite: identity, hub: notMe } }));
  expect(isAlive(identity)).toBe(false);
  expect(isAlive(me)).toBe(true);
  await exit;
});
