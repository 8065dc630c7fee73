import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';

import { describe, expect, it } from 'vitest';

import { projectRoot } from '../local/stack/projectRoot.ts';

/** What each folder of `test` holds: unit tests of the folder of sources that is given, or what the folder is for. */
const FOLDERS: Record<string, { readonly mirrors: string } | { readonly holds: RegExp }> = {
  lib: { mirrors: 'src/lib' },
  orchestrations: { mirrors: 'src/orchestrations' },
  functions: { mirrors: 'src/functions' },
  handlers: { mirrors: 'src/handlers' },
  hosting: { mirrors: 'src/hosting' },
  cli: { mirrors: 'cli' },
  local: { mirrors: 'local' },
  tools: { mirrors: 'tools' },
  docs: { mirrors: 'docs' },
  // What is deployed: templates, hooks, workflows; with the tables that they are compared with.
  infra: { holds: /^[a-zA-Z]+(\.test)?\.ts$/ },
  // Whole runs in whole stacks, what takes long is in `long`.
  e2e: { holds: /^[a-zA-Z]+\.test\.ts$/ },
  long: { holds: /^[a-zA-Z]+\.long\.ts$/ },
  // What whole runs are made of and judged by: fault schedules, crash runs, the oracle (with its own test).
  scenarios: { holds: /^[a-zA-Z]+(\.test)?\.ts$/ },
  // Plumbing: starts, stops, waits, reads.
  helpers: { holds: /^[a-zA-Z]+\.ts$/ },
  // Apps for the host.
  fixtures: { holds: /^/ },
};

/** Tests of the code as a whole: where tests stand, and who may know whom. */
const OF_ALL = ['layout.test.ts', 'rooms.test.ts'];

/** Tests of several sources that only mean something together. */
const OF_SEVERAL = ['test/docs/pages.test.ts'];

process.chdir(projectRoot());

const folderOf = (file: string): string => file.split('/')[1] ?? '';
const files = globSync('test/**/*.ts').filter((file) => !file.startsWith('test/fixtures/'));
const mirrored = files.flatMap((file) => {
  const folder = FOLDERS[folderOf(file)];
  if (folder === undefined || !('mirrors' in folder)) return [];
  return [{ file, source: join(folder.mirrors, relative(join('test', folderOf(file)), file)) }];
});

/** Files of the project that a file imports, from the root. */
function importsOf(file: string): string[] {
  const paths = readFileSync(file, 'utf8').matchAll(/(?:from|import) '(\.[^']+)'/g);
  return Array.from(paths, ([, path = '']) => relative('.', resolve(dirname(file), path)));
}

describe('the tests', () => {
  it('stand in folders whose purpose is known', () => {
    const unknown = readdirSync('test', { withFileTypes: true }).filter((entry) => {
      return entry.isDirectory() ? FOLDERS[entry.name] === undefined : !OF_ALL.includes(entry.name);
    });
    expect(unknown.map(({ name }) => name)).toEqual([]);
    const misplaced = files.filter((file) => {
      const folder = FOLDERS[folderOf(file)];
      return (
        folder !== undefined && 'holds' in folder && !folder.holds.test(relative(join('test', folderOf(file)), file))
      );
    });
    expect(misplaced).toEqual([]);
  });

  it('of units mirror the folders of the sources', () => {
    expect(mirrored.length).toBeGreaterThan(100);
    expect(mirrored.filter(({ source }) => !existsSync(dirname(source))).map(({ file }) => file)).toEqual([]);
  });

  // `line.test.ts` tests `line.ts`; where that is much, `line.aspect.test.ts` tests an aspect of it.
  it('of units are named by the source they test', () => {
    const others = mirrored.filter(({ file, source }) => {
      if (!file.endsWith('.test.ts') || OF_SEVERAL.includes(file)) return false;
      return !existsSync(join(dirname(source), `${basename(source).split('.', 1)}.ts`));
    });
    expect(others.map(({ file }) => file)).toEqual([]);
    expect(OF_SEVERAL.filter((file) => !existsSync(file))).toEqual([]);
  });

  it('have helpers that expect nothing and know no test', () => {
    const wrong = files.filter((file) => {
      const imported = importsOf(file);
      const isHelper = folderOf(file) === 'helpers';
      if (isHelper && /from 'vitest'/.test(readFileSync(file, 'utf8'))) return true;
      return imported.some(
        (path) => /\.(test|long)\.ts$/.test(path) || (isHelper && !/^(test\/helpers|src|local)\//.test(path)),
      );
    });
    expect(wrong).toEqual([]);
  });

  it('that take long have a command each', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    for (const file of files.filter((path) => folderOf(path) === 'long')) {
      const name = basename(file, '.long.ts').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      expect(scripts[`test:${name}`]).toContain(file);
    }
  });
});

/** Tables, however long they get. */
const TABLES = ['src/lib/registry/errorCodes.ts'];

describe('the files of src', () => {
  // That no function is longer than 80 lines is a rule of the linter.
  it('have at most 400 lines, unless they are tables', () => {
    const long = globSync('src/**/*.ts').filter((file) => readFileSync(file, 'utf8').split('\n').length > 401);
    expect(long.filter((file) => !TABLES.includes(file))).toEqual([]);
  });
});
