import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf, isAlive, type ProcessIdentity } from './processIdentity.ts';
import { StackError } from './stackError.ts';

/** Who locks a folder, in the words of the message to whoever comes second. */
export interface FolderUser {
  /** Name of the lock file. */
  readonly file: string;
  /** With its article, e.g. `A local stack`. */
  readonly one: string;
  /** e.g. `local stacks`. */
  readonly many: string;
}

/**
 * Takes a data folder for this process; returns the function that gives it back.
 * @throws StackError while another living process holds it.
 */
export function lockFolder(folder: string, user: FolderUser): () => void {
  const path = join(folder, user.file);
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const mine = `${path}.${process.pid}.${randomUUID()}`;
    writeFileSync(mine, JSON.stringify(identityOf(process.pid)), { mode: 0o600 });
    try {
      // A link is made whole or not at all, so nobody ever reads an empty lock.
      linkSync(mine, path);
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(mine, { force: true });
    }
    const holder = readLock(path);
    if (holder !== undefined && isAlive(holder)) {
      throw new StackError(`${user.one} is already running on ${folder} (process ${holder.pid}).`, {
        kind: 'usage',
        action: 'Use that one, stop it with Ctrl-C in its terminal, or start this one with another --data folder.',
      });
    }
    rmSync(path, { force: true });
  }
  throw new StackError(`Two ${user.many} are starting on ${folder} at the same time.`, {
    kind: 'usage',
    action: 'Start only one.',
  });
}

function readLock(path: string): ProcessIdentity | undefined {
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof (content as ProcessIdentity | null)?.pid === 'number' ? (content as ProcessIdentity) : undefined;
  } catch {
    return undefined;
  }
}
