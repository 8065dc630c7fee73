/** `DATA/stack.json`: what a running stack is and how to reach it; also what a crashed one left behind. */

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HubReady } from './hub.ts';
import { lockFolder } from './lockFolder.ts';
import { isAlive, type ProcessIdentity } from './processIdentity.ts';
import { StackError } from './stackError.ts';

export type PartName = 'azurite' | 'hub' | `hub-${string}` | 'host';

export interface StackPorts {
  readonly blob: number;
  readonly queue: number;
  readonly table: number;
  readonly hub: number;
  readonly hubAdmin: number;
  readonly hubEvents: number;
  readonly api: number;
}

export type HubPorts = Pick<StackPorts, 'hub' | 'hubAdmin' | 'hubEvents'>;

/** A hub as the app knows it; nothing is said of one that a setting names and that the stack does not run. */
export type StackHub = Partial<HubReady>;
/** By alias. */
export type StackHubs = Readonly<Record<string, StackHub>>;

/** The connection strings are the development keys of this machine's stand-ins: the file is readable by its owner only. */
export interface StackFile {
  readonly version: 1;
  /** False while it starts, and again after it stopped. */
  readonly ready: boolean;
  /** The process that started the parts and watches over them. */
  readonly supervisor: ProcessIdentity;
  /** By the name of the part. */
  readonly parts: Readonly<Record<string, ProcessIdentity>>;
  /** Used again at the next start, so that URLs held by unfinished runs stay true. */
  readonly ports: Partial<StackPorts>;
  /** Those of more hubs, by alias. */
  readonly hubPorts?: Readonly<Record<string, Partial<HubPorts>>>;
  readonly storageConnectionString?: string;
  readonly connectionString?: string;
  readonly connectionStrings?: Readonly<Record<string, string>>;
  readonly eventsConnectionString?: string;
  readonly apiUrl?: string;
  readonly adminUrl?: string;
  readonly hubAdminUrl?: string;
  /** All hubs of the app; those above are of the first. */
  readonly hubs?: StackHubs;
  readonly apiKey?: string;
}

const fileIn = (data: string): string => join(data, 'stack.json');

export function readStackFile(data: string): StackFile | undefined {
  const path = fileIn(data);
  if (!existsSync(path)) return undefined;
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (isStackFile(content)) return content;
  } catch (error) {
    throw new StackError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`, {
      kind: 'usage',
      action: 'Delete that file; the data beside it stays as it is.',
      cause: error,
    });
  }
  throw new StackError(`${path} is not a file of this version.`, {
    kind: 'usage',
    action: 'Delete that file; the data beside it stays as it is.',
  });
}

function isStackFile(content: unknown): content is StackFile {
  if (typeof content !== 'object' || content === null) return false;
  const { version, supervisor, parts, ports } = content as Record<string, unknown>;
  return (
    version === 1 &&
    [supervisor, parts, ports].every((member) => typeof member === 'object' && member !== null) &&
    typeof (supervisor as Record<string, unknown>).pid === 'number'
  );
}

/** Written beside and renamed: a reader never sees half of it. */
export function writeStackFile(data: string, content: StackFile): void {
  const path = fileIn(data);
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, path);
}

/** The running stack of this data folder, or undefined when none is up. */
export function findRunningStack(data: string): StackFile | undefined {
  const file = readStackFile(data);
  if (!file?.ready || !isAlive(file.supervisor)) return undefined;
  return Object.values(file.parts).every(isAlive) ? file : undefined;
}

/**
 * Takes the data folder for this process; returns the function that gives it back.
 * @throws StackError while another living process holds it.
 */
export function lockData(data: string): () => void {
  return lockFolder(data, { file: 'stack.lock', one: 'A local stack', many: 'local stacks' });
}
