import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { EndpointInput } from './endpointInput.ts';
import { serveConnection } from './eventConnection.ts';
import { createReceivers, type PartitionReceiver } from './receivers.ts';

/** The Event-Hubs-compatible endpoint: AMQP 1.0 over plain TCP. */
export interface EventEndpoint {
  /** Listens on 127.0.0.1; port 0 is any free one. Rejects when the port is taken. */
  listen(port: number): Promise<{ readonly port: number }>;
  receivers(): readonly PartitionReceiver[];
  connections(): number;
  /** Cuts every connection. */
  drop(): void;
  /** Cuts new connections for so long. */
  refuse(durationMs: number): void;
  /** Every receiver gets its last events again; undefined: all that are kept. */
  redeliver(events: number | undefined): void;
  close(): Promise<void>;
}

export function createEventEndpoint(input: EndpointInput): EventEndpoint {
  const receivers = createReceivers();
  const sockets = new Set<Socket>();
  let refusedUntilMs = 0;

  input.log.onAppended((partition) => {
    for (const receiver of receivers.all()) if (receiver.partition === partition) receiver.wake();
  });
  const server = createServer({ noDelay: true }, (socket) => {
    if (input.audience.now() < refusedUntilMs) {
      socket.resetAndDestroy();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveConnection(socket, input, receivers);
  });
  const drop = () => {
    // With an error, so that the AMQP connection on it ends, too.
    for (const socket of sockets) socket.destroy(new Error('The connection was cut.'));
  };

  return {
    listen: async (port) => {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return { port: (server.address() as AddressInfo).port };
    },
    receivers: receivers.all,
    connections: () => sockets.size,
    drop,
    refuse: (durationMs) => {
      refusedUntilMs = input.audience.now() + durationMs;
    },
    redeliver: (events = Number.MAX_SAFE_INTEGER) => {
      for (const receiver of receivers.all()) receiver.rewind(events);
    },
    close: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      drop();
      await closed;
    },
  };
}
