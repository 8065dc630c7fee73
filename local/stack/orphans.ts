import { setTimeout as delay } from 'node:timers/promises';
import { inOrderOfEnd } from './hubs.ts';
import { isAlive, type ProcessIdentity } from './processIdentity.ts';
import type { PartName, StackFile } from './stackFile.ts';

const GRACE_MS = 15_000;

/**
 * Ends the parts of a stack whose supervisor was killed: they still hold the ports, and the data that the next stack is
 * about to open. A recorded process id that by now belongs to something else is left alone.
 */
export async function endOrphans(file: StackFile): Promise<void> {
  for (const name of inOrderOfEnd(Object.keys(file.parts) as PartName[])) {
    const part = file.parts[name];
    if (part !== undefined) await end(part);
  }
}

async function end(part: ProcessIdentity): Promise<void> {
  const deadline = Date.now() + GRACE_MS;
  if (isAlive(part)) process.kill(part.pid, 'SIGTERM');
  while (isAlive(part)) {
    if (Date.now() > deadline) process.kill(part.pid, 'SIGKILL');
    await delay(100);
  }
}
