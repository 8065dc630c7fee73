import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../helpers/eventually.ts';

/** One line that a fixture app wrote about a run of a function. */
export interface Note {
  readonly name: string;
  readonly [member: string]: unknown;
}

/** The lines of a file that a fixture app writes while it runs. */
export interface Notes {
  all(): Promise<Note[]>;
  /** Waits until so many lines fit. */
  atLeast(count: number, fits: (note: Note) => boolean, timeoutMs?: number): Promise<Note[]>;
}

export function notesIn(path: string): Notes {
  const all = async () => {
    const text = await readFile(path, 'utf8').catch(() => '');
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Note);
  };
  return {
    all,
    atLeast: (count, fits, timeoutMs) =>
      eventually(
        async () => {
          const found = (await all()).filter(fits);
          return found.length >= count ? found : undefined;
        },
        `${count} fitting notes in ${path}`,
        timeoutMs,
      ),
  };
}

export function fixtureApp(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/apps/${name}/`, import.meta.url));
}
