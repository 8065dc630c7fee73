import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What becomes of a request instead of being handed on. */
export type Fate =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** The connection is cut, before the request is handed on or before its reply is. */
  | 'cut'
  | 'cutReply'
  /** There is never a reply. */
  | 'hang';

export interface HttpProxy {
  readonly port: number;
  close(): Promise<void>;
}

/** Hands HTTP requests on to a port of this machine, but for those that have another fate. */
export async function startProxy(
  target: number,
  fateOf: (incoming: IncomingMessage) => Fate | undefined,
): Promise<HttpProxy> {
  const server = createServer((incoming, reply) => {
    const fate = fateOf(incoming);
    if (fate === 'hang') return;
    if (fate === 'cut') return void incoming.socket.destroy();
    if (typeof fate === 'object') {
      incoming.resume().on('end', () => reply.writeHead(fate.status, fate.headers).end(fate.body));
      return;
    }
    const { method, url, headers } = incoming;
    const outgoing = request({ host: '127.0.0.1', port: target, method, path: url, headers }, (answer) => {
      if (fate === 'cutReply') {
        answer.resume().on('end', () => incoming.socket.destroy());
        return;
      }
      reply.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(reply);
    });
    outgoing.on('error', () => incoming.socket.destroy());
    incoming.pipe(outgoing);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
