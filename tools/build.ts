/**
 * `npm run build`, and all that needs a build: compiles, unless that would change nothing.
 *
 * What a build was made of and what it made is noted beside it: a source that changed, came or went, other compiler
 * options or packages, and a compiled file that was deleted or changed each lead to a new build.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface TsConfig {
  readonly compilerOptions: { readonly outDir: string; readonly tsBuildInfoFile: string };
  readonly include: readonly string[];
}

const CONFIG = 'tsconfig.json';
const COMPILER = join('node_modules', 'typescript', 'bin', 'tsc');

process.exitCode = build();

function build(): number {
  const { compilerOptions, include } = JSON.parse(readFileSync(CONFIG, 'utf8')) as TsConfig;
  const { outDir, tsBuildInfoFile } = compilerOptions;
  const sources = include.flatMap((folder) => globSync(`${folder}/**/*.ts`)).toSorted();
  const compiled = sources.flatMap((source) => {
    const file = join(outDir, source.replace(/\.ts$/, '.js'));
    return [file, `${file}.map`];
  });
  const note = join(outDir, '.built');
  const noted = existsSync(note) ? readFileSync(note, 'utf8').split('\n') : [];
  const madeOf = digestOf([CONFIG, 'package-lock.json', ...sources]);
  const isWhole = noted[1] === digestOf(compiled);
  if (isWhole && noted[0] === madeOf) return 0;

  rmSync(note, { force: true });
  // The compiler believes that what it has written once is still there, and as it was.
  if (!isWhole) rmSync(tsBuildInfoFile, { force: true });
  const { status, error } = spawnSync(process.execPath, [COMPILER], { stdio: 'inherit' });
  if (error !== undefined) throw error;
  if (status !== 0) return status ?? 1;
  removeOthers(outDir, compiled);
  writeFileSync(note, `${madeOf}\n${digestOf(compiled)}`);
  return 0;
}

/** The host loads all that lies in the folder of the functions: what no source makes any more must not lie there. */
function removeOthers(outDir: string, compiled: readonly string[]): void {
  const wanted = new Set(compiled);
  for (const file of globSync(`${outDir}/**/*.{js,map}`)) if (!wanted.has(file)) rmSync(file);
}

function digestOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) {
    const content = existsSync(file) ? readFileSync(file) : undefined;
    hash.update(`${file} ${content?.length}\n`).update(content ?? '');
  }
  return hash.digest('hex');
}
