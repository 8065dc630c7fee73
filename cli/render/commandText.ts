/** Commands of this program as texts name them: so that they can be typed, or pasted, where they are read. */

import { realpathSync } from 'node:fs';
import { basename, delimiter, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import { projectRoot } from '../../local/stack/projectRoot.ts';
import type { ProvisionOptions } from '../../src/lib/provisioning/run/options.ts';

/** Option flags as given; an absent one is left to the app. */
export type OptionFlags = { readonly [Name in keyof ProvisionOptions]?: ProvisionOptions[Name] | undefined };

/** How the program was started. */
export interface Start {
  /** The file of the program itself, with no link on the way. */
  readonly main: string;
  /** Folder of its package.json. */
  readonly root: string;
  readonly workingFolder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  /** Where a path leads to; undefined when there is nothing. */
  realPath(path: string): string | undefined;
}

/** Makes the text of a command of this program from its arguments. */
export type CommandText = (...args: readonly string[]) => string;

/** The command with these arguments, for this process. */
export function commandText(...args: readonly string[]): string {
  return commandOf(thisStart(), args);
}

/** The same with the `--data` that the command was given, so that it reaches the same app. */
export function commandTextFor(data: string | undefined): CommandText {
  return (...args) => commandText(...args, ...(data === undefined ? [] : ['--data', pathFromReader(data)]));
}

/** A command in a text: the verb, then flags with their values, and ids of runs. */
const COMMAND = /\bhubkeeper (mirror [a-z]+|[a-z]+(?:-[a-z]+)*)((?: (?:--[a-z-]+(?: [a-z0-9/]+)?|[0-9a-f]{20}))*)/g;

/**
 * A text of the app, which names commands without knowing how they are typed here.
 *
 * @param command default: without `--data`
 */
export function typedCommands(text: string, command: CommandText = commandText): string {
  return text.replaceAll(COMMAND, (_, verb: string, rest: string) => command(...`${verb}${rest}`.split(' ')));
}

/** `path`, which this process may have been given relative to its working folder, as the reader has to write it. */
export function pathFromReader(path: string): string {
  const reader = readerFolder(thisStart());
  return reader === process.cwd() ? path : shorter(resolve(path), reader);
}

/** A path as people write it: relative while it lies below the folder that the reader is in. */
export function shortPath(path: string): string {
  return shorter(resolve(path), readerFolder(thisStart()));
}

function shorter(path: string, folder: string): string {
  const fromThere = relative(folder, path);
  return fromThere === '' ? '.' : fromThere.startsWith('..') ? path : fromThere;
}

/**
 * The one place that decides by which words the program is called:
 * `hubkeeper` when it is installed and was not started by npm; `npx hubkeeper` in the folders of the package that holds
 * it; elsewhere the file itself.
 */
export function commandOf(start: Start, args: readonly string[]): string {
  return [nameOf(start), ...args.map((arg) => quoted(arg, start.platform))].join(' ');
}

function nameOf(start: Start): string {
  const byNpm = start.environment.npm_lifecycle_event !== undefined;
  const isInstalled = isOnPath(start);
  if (isInstalled && !byNpm) return 'hubkeeper';
  if (isWithin(readerFolder(start), ownerOf(start))) return 'npx hubkeeper';
  return isInstalled ? 'hubkeeper' : `node ${quoted(start.main, start.platform)}`;
}

/** Where the person is who reads what is printed: a script of npm is run in the folder of its package. */
function readerFolder({ environment, workingFolder }: Start): string {
  const { npm_lifecycle_event: event, INIT_CWD: before } = environment;
  return event !== undefined && event !== 'npx' && before ? before : workingFolder;
}

/** The package whose folders have `npx hubkeeper`: the program's own, or the one that it is installed in. */
function ownerOf({ root }: Start): string {
  const parent = dirname(root);
  return basename(parent) === 'node_modules' ? dirname(parent) : root;
}

function isWithin(folder: string, outer: string): boolean {
  return folder === outer || folder.startsWith(outer.endsWith(sep) ? outer : outer + sep);
}

/** Whether `hubkeeper` alone calls this program, in a shell that npm has not prepared. */
function isOnPath(start: Start): boolean {
  const { environment, main, root, platform, realPath } = start;
  const name = platform === 'win32' ? 'hubkeeper.cmd' : 'hubkeeper';
  const folders = (environment.PATH ?? environment['Path'] ?? '').split(delimiter);
  for (const folder of folders) {
    if (folder === '' || folder.endsWith(join('node_modules', '.bin'))) continue;
    const path = join(folder, name);
    const target = realPath(path);
    // Where package managers write a small script instead of a link, only an installed package can be meant.
    if (target !== undefined) return target === main || (target === path && basename(dirname(root)) === 'node_modules');
  }
  return false;
}

/**
 * A word for a POSIX shell; on Windows in double quotes, which both of its shells take for all that a path is made of there
 * but `%`, `$` and the backtick.
 */
function quoted(word: string, platform: NodeJS.Platform): string {
  const bare = platform === 'win32' ? /^[\w@+=:,./\\-]+$/ : /^[\w@%+=:,./-]+$/;
  if (bare.test(word)) return word;
  return platform === 'win32' ? `"${word.replaceAll('"', '""')}"` : `'${word.replaceAll("'", `'\\''`)}'`;
}

function thisStart(): Start {
  const here = fileURLToPath(import.meta.url);
  return {
    main: join(dirname(here), '..', `main${extname(here)}`),
    root: projectRoot(),
    workingFolder: process.cwd(),
    environment: process.env,
    platform: process.platform,
    realPath: (path) => {
      try {
        return realpathSync(path);
      } catch {
        return undefined;
      }
    },
  };
}

/** `--import-mode` for `importMode`. */
export function flagName(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
