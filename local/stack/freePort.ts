import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { StackError } from './stackError.ts';
import type { HubPorts, StackPorts } from './stackFile.ts';

/** True when a server on the loopback address could listen on this port now. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ port, host: '127.0.0.1', exclusive: true });
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

const FLAGS: Readonly<Record<keyof StackPorts, string>> = {
  blob: '--port-blob',
  queue: '--port-queue',
  table: '--port-table',
  hub: '--port-hub',
  hubAdmin: '--port-hub-admin',
  hubEvents: '--port-hub-events',
  api: '--port-api',
};

/**
 * Below the ports that systems give to outgoing connections (32768 and up on Linux, 49152 and up elsewhere): a port from
 * there could be in passing use by anything when the stack wants it back.
 */
const RANGE = { first: 20_000, last: 32_000 } as const;

/**
 * The ports to start the parts on: the asked ones, else those of the last start while they are free, else free ones.
 * @throws StackError when an asked one is taken.
 */
export async function choosePorts(asked: Partial<StackPorts>, last: Partial<StackPorts>): Promise<StackPorts> {
  const chosen = new Set<number>();
  const choose = async (name: keyof StackPorts): Promise<number> => {
    const wanted = asked[name] || last[name];
    if (wanted !== undefined && (await isFree(wanted))) return wanted;
    if (asked[name]) {
      throw new StackError(`Port ${wanted} is taken.`, {
        kind: 'usage',
        action: `Choose another with ${FLAGS[name]}, or leave that out.`,
      });
    }
    for (;;) {
      const port = randomInt(RANGE.first, RANGE.last);
      if (chosen.has(port) || !(await isFree(port))) continue;
      chosen.add(port);
      return port;
    }
  };
  return {
    blob: await choose('blob'),
    queue: await choose('queue'),
    table: await choose('table'),
    hub: await choose('hub'),
    hubAdmin: await choose('hubAdmin'),
    hubEvents: await choose('hubEvents'),
    api: await choose('api'),
  };
}

/** The same for one more hub, apart from the ports that are given away already. */
export async function chooseHubPorts(last: Partial<HubPorts> | undefined, given: readonly number[]): Promise<HubPorts> {
  const chosen = new Set(given);
  const choose = async (wanted: number | undefined): Promise<number> => {
    let port = wanted;
    while (port === undefined || chosen.has(port) || !(await isFree(port))) port = randomInt(RANGE.first, RANGE.last);
    chosen.add(port);
    return port;
  };
  return {
    hub: await choose(last?.hub),
    hubAdmin: await choose(last?.hubAdmin),
    hubEvents: await choose(last?.hubEvents),
  };
}
