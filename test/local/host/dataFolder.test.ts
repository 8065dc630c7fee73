import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../../local/host/commandLine.ts';
import { enterDataFolder } from '../../../local/host/dataFolder.ts';
import { endProcess } from '../../helpers/childOutput.ts';
import { spawnHost, startHost } from '../../helpers/hostProcess.ts';
import { fixtureApp } from './notes.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'data-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function app(path: string, name?: string): Promise<string> {
  const directory = join(folder, path);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'package.json'), JSON.stringify(name === undefined ? {} : { name }));
  return directory;
}

describe('the data folder of a host', () => {
  test('is one of its own for each app, unless it is given', () => {
    const one = parseCommandLine(['one']).data;
    expect(one).toBe(parseCommandLine([resolve('one')]).data);
    expect(one.startsWith(resolve('.hubkeeper', 'hosts', 'one-'))).toBe(true);
    const others = ['two', join('elsewhere', 'one'), '.'].map((directory) => parseCommandLine([directory]).data);
    expect(new Set([one, ...others, resolve('.hubkeeper', 'host')]).size).toBe(5);
    expect(parseCommandLine(['one', '--data', 'mine']).data).toBe(resolve('mine'));
  });

  test('is made for its owner alone', async () => {
    const data = join(folder, 'a', 'data');
    enterDataFolder(data, await app('one', 'one'));
    expect((await stat(data)).mode & 0o777).toBe(0o700);
  });

  test('goes with its app to another place, and serves a newer version of it', async () => {
    const data = join(folder, 'data');
    const first = await app('one', 'one');
    enterDataFolder(data, first);
    await rename(first, join(folder, 'moved'));
    enterDataFolder(data, join(folder, 'moved'));
    enterDataFolder(data, join(folder, 'moved'));
  });

  test.each([
    ['another name', 'one', 'two'],
    ['a name, when the other had none', undefined, 'two'],
    ['no name, and another place', undefined, undefined],
  ])('is refused to an app with %s', async (_what, firstName, secondName) => {
    const data = join(folder, 'data');
    enterDataFolder(data, await app('first', firstName));
    const second = await app('second', secondName);
    expect(() => enterDataFolder(data, second)).toThrow(
      `${data} holds the durable data of another app (${firstName ?? join(folder, 'first')}): each would end the other's runs. Give this one a folder of its own with --data`,
    );
  });

  test('is refused by the host itself', async () => {
    const data = join(folder, 'data');
    const first = await startHost(fixtureApp('durable'), { data });
    await first.stop();
    const before = await readFile(join(data, 'app.json'), 'utf8');
    const second = await spawnHost(fixtureApp('timers'), { data });
    expect(
      await second.log.waitFor((text) => text.includes('holds the durable data of another app'), 'refusal'),
    ).toBeTruthy();
    expect(await endProcess(second.process, 'SIGTERM')).toBe(1);
    expect(await readFile(join(data, 'app.json'), 'utf8')).toBe(before);
  });
});
