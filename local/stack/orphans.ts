import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, type ProcessIdentity } from './processIdentity.ts';
import type { StackFile } from './stackFile.ts';

const GRACE_MS = 15_000;

/**
 * Ends the parts of a stack whose supervisor was killed: they still hold the ports, and the data that the next stack is
 * about to open. A recorded process id that by now belongs to something else is left alone.
 */
export async function endOrphans(file: StackFile): Promise<void> {
  const { host, hub, azurite } = file.parts;
  for (const part of [host, hub, azurite]) if (part !== undefined) await end(part);
}

async function end(part: ProcessIdentity): Promise<void> {
  const deadline = Date.now() + GRACE_MS;
  if (isAlive(part)) process.kill(part.pid, 'SIGTERM');
  while (isAlive(part)) {
    if (Date.now() > deadline) process.kill(part.pid, 'SIGKILL');
    await delay(100);
  }
}
