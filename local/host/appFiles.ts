import { glob, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { errorText } from './log.ts';

/** The app cannot be loaded; `problems` names everything that is wrong with it. */
export class AppLoadError extends Error {
  override readonly name = 'AppLoadError';
  readonly problems: readonly string[];
  /** Which files could not be loaded, and where in them: of use to who writes the app. */
  readonly details: readonly string[];

  constructor(directory: string, problems: readonly string[], details: readonly string[] = []) {
    const [problem = '', ...others] = problems;
    const list = others.length === 0 ? ` ${problem}` : `\n${problems.map((one) => `- ${one}`).join('\n')}`;
    super(`The app in ${directory} cannot be loaded:${list}`);
    this.problems = problems;
    this.details = details;
  }
}

interface PackageJson {
  readonly main: string;
  readonly isModule: boolean;
}

async function readPackageJson(directory: string): Promise<PackageJson> {
  const path = join(directory, 'package.json');
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new AppLoadError(directory, [`${path}: ${error instanceof Error ? error.message : String(error)}`]);
  }
  const { main, type } = (typeof parsed === 'object' && parsed !== null ? parsed : {}) as Record<string, unknown>;
  if (typeof main !== 'string' || main === '') {
    throw new AppLoadError(directory, [
      `${path} has no "main": set it to a glob over the files that register functions, e.g. "dist/src/functions/*.js".`,
    ]);
  }
  return { main, isModule: type === 'module' };
}

/**
 * Loads every file that package.json `main` (a glob) matches, one after another. A file that throws does not stop the
 * next; all failures come out together as one {@link AppLoadError}. The choice between `import` and `require` is the
 * worker's (azure-functions-nodejs-worker, loadScriptFile.ts): by extension, else by the app's `"type"`.
 */
export async function loadAppFiles(directory: string): Promise<void> {
  const { main, isModule } = await readPackageJson(directory);
  const files: string[] = [];
  for await (const file of glob(main, { cwd: directory })) {
    files.push(file);
  }
  files.sort();
  if (files.length === 0) {
    throw new AppLoadError(directory, [
      `Found zero files matching the supplied pattern "${main}" (package.json "main"). Was the app built?`,
    ]);
  }
  const require = createRequire(join(directory, 'package.json'));
  // One module that fails takes along every file that imports it: told once.
  const failures = new Map<string, { readonly error: unknown; readonly blocked: string[] }>();
  for (const file of files) {
    const path = join(directory, file);
    const extension = extname(file);
    try {
      if (extension === '.mjs' || extension === '.mts' || (isModule && extension !== '.cjs' && extension !== '.cts')) {
        await import(pathToFileURL(path).href);
      } else {
        require(path);
      }
    } catch (error) {
      const stack = errorText(error);
      const failure = failures.get(stack) ?? { error, blocked: [] };
      failure.blocked.push(file);
      failures.set(stack, failure);
    }
  }
  if (failures.size > 0) {
    throw new AppLoadError(
      directory,
      [...failures.values()].map(({ error, blocked }) => problemText(error, blocked)),
      [...failures].map(([stack, { blocked }]) => `${blocked.join(', ')}: ${stack}`),
    );
  }
}

const BUILT_IN: readonly unknown[] = [Error, TypeError, SyntaxError, ReferenceError, RangeError].map(
  ({ prototype }) => prototype,
);

/** An error of a class of its own, thrown by several files alike, says by itself what is wrong; of others the file helps. */
function problemText(error: unknown, [file, ...others]: readonly string[]): string {
  const isBuiltIn = !(error instanceof Error) || BUILT_IN.includes(Object.getPrototypeOf(error));
  const text = error instanceof Error && !isBuiltIn ? error.message : String(error);
  if (others.length === 0) return `${file}: ${text}`;
  return isBuiltIn ? `${file} and ${others.length} more: ${text}` : text;
}
