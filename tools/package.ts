/**
 * `npm run package`: lays in `out/package` what is deployed, and nothing else: the compiled functions, `host.json`, and the
 * packages that they need at run time.
 */

import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const OUTPUT = 'out/package';

export interface PackageLock {
  /** By the folder that a package is installed in. */
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly devOptional?: boolean }>>;
}

/** Folders of the packages that are needed at run time; a folder holds those that only it needs. */
export function runtimePackages({ packages }: PackageLock): string[] {
  return Object.entries(packages)
    .filter(([folder, { dev, devOptional }]) => folder.startsWith('node_modules/') && !dev && !devOptional)
    .map(([folder]) => folder)
    .filter((folder) => folder.lastIndexOf('node_modules/') === 0);
}

/** The description of the app without what only its development needs. */
export function deployedDescription(description: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { name, version, license, type, main, engines, dependencies } = description;
  return { name, version, license, private: true, type, main, engines, dependencies };
}

function main(): void {
  const readJson = (file: string) => JSON.parse(readFileSync(file, 'utf8'));
  rmSync(OUTPUT, { recursive: true, force: true });
  mkdirSync(OUTPUT, { recursive: true });
  cpSync('dist/src', join(OUTPUT, 'dist/src'), { recursive: true });
  for (const file of ['host.json', 'LICENSE']) cpSync(file, join(OUTPUT, file));
  for (const folder of runtimePackages(readJson('package-lock.json') as PackageLock)) {
    // An optional package that is of no use on this machine is not installed.
    if (existsSync(folder)) cpSync(folder, join(OUTPUT, folder), { recursive: true });
  }
  const description = deployedDescription(readJson('package.json') as Record<string, unknown>);
  writeFileSync(join(OUTPUT, 'package.json'), `${JSON.stringify(description, undefined, 2)}\n`);
  process.stdout.write(`The app to be deployed lies in ${OUTPUT}.\n`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main();
