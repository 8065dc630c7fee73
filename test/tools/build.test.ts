/** The real scripts of package.json, in a small project of their own with the compiler of this one. */

import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { projectRoot } from '../../local/stack/projectRoot.ts';

const { scripts } = JSON.parse(await readFile(join(projectRoot(), 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};

let project: string;
const at = (...parts: string[]): string => join(project, ...parts);

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'build-'));
  for (const folder of ['src', 'tools']) await mkdir(at(folder));
  for (const file of ['package.json', 'package-lock.json', 'tsconfig.json', join('tools', 'build.ts')])
    await copyFile(join(projectRoot(), file), at(file));
  await symlink(join(projectRoot(), 'node_modules'), at('node_modules'));
  await writeFile(at('src', 'a.ts'), 'export const a = 1;\n');
  await writeFile(at('src', 'b.ts'), 'export const b = 1;\n');
});

afterEach(() => rm(project, { recursive: true }));

// The scripts of npm find the Node of the project in its node_modules.
const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}` };

async function npm(script: string): Promise<{ readonly code: number; readonly output: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)('npm', ['run', '--silent', script], { cwd: project, env });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

const compiled = (name: string): Promise<string> => readFile(at('dist', 'src', `${name}.js`), 'utf8');

test('what npm ci has built is not built again by npm start, npm run provision and the others', async () => {
  expect(await npm('prepare')).toEqual({ code: 0, output: '' });
  // Without a compiler: whoever called it would fail.
  await rm(at('node_modules'));
  for (const script of ['prestart', 'preprovision', 'prehub', 'prehost', 'build']) {
    expect([script, await npm(script)]).toEqual([script, { code: 0, output: '' }]);
  }
  await writeFile(at('src', 'a.ts'), 'export const a = 2;\n');
  expect((await npm('prestart')).code).not.toBe(0);
}, 60_000);

test('a source that changed, came or went, and a compiled file that was deleted or changed, are noticed', async () => {
  await npm('build');
  await writeFile(at('src', 'a.ts'), 'export const a = 2;\n');
  await writeFile(at('src', 'c.ts'), 'export const c = 1;\n');
  await rm(at('src', 'b.ts'));
  await npm('build');
  expect(await compiled('a')).toContain('a = 2');
  expect(await compiled('c')).toContain('c = 1');
  await expect(compiled('b')).rejects.toThrow('ENOENT');

  await rm(at('dist', 'src', 'a.js'));
  await npm('build');
  expect(await compiled('a')).toContain('a = 2');
  await writeFile(at('dist', 'src', 'c.js'), '');
  await npm('build');
  expect(await compiled('c')).toContain('c = 1');
}, 60_000);

test('a build that failed is made again, and fails again', async () => {
  await npm('build');
  await writeFile(at('src', 'a.ts'), 'export const a: number = "";\n');
  for (let times = 0; times < 2; times += 1) {
    expect(await npm('build')).toEqual({ code: expect.any(Number), output: expect.stringContaining('src/a.ts(1,14)') });
  }
  await writeFile(at('src', 'a.ts'), 'export const a = 3;\n');
  expect(await npm('build')).toEqual({ code: 0, output: '' });
  expect(await compiled('a')).toContain('a = 3');
}, 60_000);

test('all scripts build in the one way', () => {
  const compiling = Object.entries(scripts).filter(([, script]) => /\btsc\b/.test(script));
  expect(compiling).toEqual([['types', 'tsc -p tsconfig.test.json']]);
  for (const name of ['build', 'prestart', 'preprovision', 'prehub', 'prehost'])
    expect(scripts[name]).toBe('node tools/build.ts');
});
