import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { removeLeftSpills, SpillFolder } from '../../../src/lib/registryLines/spillFolder.ts';

const HOUR = 60 * 60;

let within: string;
beforeEach(() => {
  within = mkdtempSync(path.join(tmpdir(), 'hubkeeper-test-'));
});
afterEach(() => rmSync(within, { recursive: true }));

interface Left {
  readonly files?: readonly string[];
  readonly folders?: readonly string[];
  /** How old the folder is, and the files in it. */
  readonly hours?: number;
  readonly fileHours?: number;
}

function leave(name: string, { files = [], folders = [], hours = 25, fileHours = hours }: Left = {}): void {
  const folder = path.join(within, name);
  const seconds = Date.now() / 1000;
  mkdirSync(folder, { mode: 0o700 });
  for (const each of folders) mkdirSync(path.join(folder, each));
  for (const each of files) {
    writeFileSync(path.join(folder, each), 'keys');
    utimesSync(path.join(folder, each), seconds, seconds - fileHours * HOUR);
  }
  utimesSync(folder, seconds, seconds - hours * HOUR);
}

describe('what a killed process has left', () => {
  it.each<[string, string, Left]>([
    ['an empty folder', 'hubkeeper-compare-aB3xYz', {}],
    ['a comparison with its files', 'hubkeeper-compare-000000', { files: ['before', 'after'] }],
    ['an undo with its file', 'hubkeeper-undo-zzzzzz', { files: ['rows'] }],
  ])('is removed when the next folder is made: %s', async (_what, name, left) => {
    leave(name, left);
    const made = await SpillFolder.make({ within, purpose: 'compare' });
    const names = readdirSync(within);
    expect(names).toEqual([expect.stringMatching(/^hubkeeper-compare-.{6}$/)]);
    expect(names).not.toContain(name);
    await made.remove();
    expect(readdirSync(within)).toEqual([]);
  });

  it.each<[string, string, Left]>([
    ['younger than a day', 'hubkeeper-compare-aB3xYz', { hours: 23 }],
    ['younger than a day, with older files', 'hubkeeper-undo-aB3xYz', { files: ['rows'], hours: 23, fileHours: 25 }],
    ['with a file that is younger', 'hubkeeper-compare-aB3xYz', { files: ['before'], fileHours: 23 }],
    ['of another purpose', 'hubkeeper-other-aB3xYz', {}],
    ['of a longer name', 'hubkeeper-compare-aB3xYz-mine', {}],
    ['of another program', 'compare-aB3xYz', {}],
    ['with a file that is none of ours', 'hubkeeper-compare-aB3xYz', { files: ['before', 'notes.txt'] }],
    ['with a folder in it', 'hubkeeper-compare-aB3xYz', { folders: ['before'] }],
  ])('is no folder %s', async (_what, name, left) => {
    leave(name, left);
    await removeLeftSpills(within);
    expect(readdirSync(path.join(within, name))).toEqual([...(left.folders ?? []), ...(left.files ?? [])]);
  });

  it('of another user stays', async () => {
    leave('hubkeeper-compare-aB3xYz', { files: ['before'] });
    await removeLeftSpills(within, { user: (process.getuid?.() ?? 0) + 1 });
    expect(readdirSync(path.join(within, 'hubkeeper-compare-aB3xYz'))).toEqual(['before']);
  });

  it('is not looked for behind a link, and a folder that is not there is no error', async () => {
    leave('elsewhere', { files: ['before'] });
    symlinkSync(path.join(within, 'elsewhere'), path.join(within, 'hubkeeper-compare-aB3xYz'));
    await removeLeftSpills(within, { now: Date.now() + 48 * HOUR * 1000 });
    expect(existsSync(path.join(within, 'elsewhere', 'before'))).toBe(true);
    expect(existsSync(path.join(within, 'hubkeeper-compare-aB3xYz'))).toBe(true);
    await removeLeftSpills(path.join(within, 'nowhere'));
  });
});
