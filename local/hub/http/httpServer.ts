import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stringifyFloats } from '../wire/numbers.ts';

export interface ListeningServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Longer than the keep-alive of the clients' pools: a server that closes first makes them meet reset connections. */
const KEEP_ALIVE_MS = 65_000;

/** Listens on 127.0.0.1: on the port wanted, else on any free one. Port 0 is any free one. */
export async function listen(port: number, handle: RequestListener): Promise<ListeningServer> {
  const server = createServer(handle);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Starts a server on the first port that is free; fails only if the last one is taken. */
export async function onFirstFree<Server>(
  ports: readonly number[],
  start: (port: number) => Promise<Server>,
): Promise<Server> {
  const [port = 0, ...more] = ports;
  try {
    return await start(port);
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    if (taken && more.length > 0) return onFirstFree(more, start);
    if (taken)
      throw new Error(`Port ${port} of 127.0.0.1 is taken: choose another, or 0 for any free one.`, { cause: error });
    throw error;
  }
}

/** The whole body; undefined when it is longer than `maxBytes` (the rest is read and dropped). */
export async function readWholeBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length <= maxBytes) chunks.push(chunk);
  }
  return length > maxBytes ? undefined : Buffer.concat(chunks);
}

export function writeJson(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: unknown,
): void {
  const text = body === undefined ? undefined : Buffer.from(stringifyFloats(body));
  response.writeHead(status, {
    ...headers,
    ...(text && { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': text.length }),
  });
  response.end(text);
}
