import { existsSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(import.meta.url);

/** Folder of the package.json above this file: the same from the sources and from `dist`. */
export function projectRoot(): string {
  let folder = dirname(here);
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`No package.json above ${here}.`);
    folder = parent;
  }
  return folder;
}

/** The program `local/PART/main` that belongs to this file: compiled when this file is, else the source, which Node 24 runs as it is. */
export function programOf(part: 'hub' | 'host'): string {
  return join(dirname(dirname(here)), part, `main${extname(here)}`);
}
