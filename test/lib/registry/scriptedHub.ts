/** A real HTTP server that plays a hub by a script of replies, and remembers what it was asked. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { createRegistryClient, parseHubConnection, type RegistryClient } from '../../../src/lib/registry/index.ts';
import type { RegistryClientOptions } from '../../../src/lib/registry/registryClient.ts';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
  /** The body as it came. */
  readonly text: string;
}

export interface ScriptedReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a text is sent as it is. */
  readonly body?: unknown;
}

/** A reply, or whatever else a server can do to a connection. */
export type Step = ScriptedReply | ((response: ServerResponse) => void);

export interface ScriptedHub {
  readonly client: RegistryClient;
  readonly hostName: string;
  readonly connectionString: string;
  readonly requests: readonly SeenRequest[];
  /** The only request so far. */
  only(): SeenRequest;
  /** Resolves when as many requests have arrived. */
  arrived(count: number): Promise<void>;
}

/** Base64 of "a key for tests only, 32 bytes!!". */
export const TEST_KEY = Buffer.from('a key for tests only, 32 bytes!!').toString('base64');

/** Cuts the connection instead of answering. */
export const hangUp: Step = (response) => response.destroy();

/** Never answers. */
export const silence: Step = () => undefined;

/**
 * Runs `use` with a client of a hub that gives `steps` in order, one a request; a request beyond the script is answered
 * with status 418. Fails when part of the script was not asked for.
 */
export async function withScriptedHub(
  steps: readonly Step[],
  use: (hub: ScriptedHub) => Promise<void>,
  options: RegistryClientOptions = {},
): Promise<void> {
  const requests: SeenRequest[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const url = new URL(request.url ?? '/', 'http://hub');
      const step = steps[requests.length] ?? { status: 418 };
      requests.push({
        method: request.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body: text === '' ? undefined : JSON.parse(text),
        text,
      });
      for (const { resolve } of waiting.filter(({ count }) => count <= requests.length)) {
        resolve();
      }
      if (typeof step === 'function') {
        step(response);
      } else {
        answer(response, step);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const hostName = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connectionString = `HostName=${hostName};SharedAccessKeyName=tests;SharedAccessKey=${TEST_KEY};UseDevelopmentEmulator=true`;
  try {
    await use({
      client: createRegistryClient(parseHubConnection(connectionString), {
        retryDelayMs: 2,
        maxRetryDelayMs: 50,
        ...options,
      }),
      hostName,
      connectionString,
      requests,
      only() {
        const [request] = requests;
        if (request === undefined || requests.length !== 1) {
          throw new Error(`The hub was asked ${requests.length} times, not once.`);
        }
        return request;
      },
      arrived: (count) =>
        new Promise((resolve) => {
          waiting.push({ count, resolve });
          if (requests.length >= count) {
            resolve();
          }
        }),
    });
    if (requests.length !== steps.length) {
      throw new Error(`The script has ${steps.length} steps, but the hub was asked ${requests.length} times.`);
    }
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

function answer(response: ServerResponse, reply: ScriptedReply): void {
  const text = reply.body === undefined || typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
  response.writeHead(reply.status ?? 200, { 'Content-Type': 'application/json', ...reply.headers });
  response.end(text);
}

/** An error as hubs answer it (the form of most operations), with the header that names it. */
export function hubFailure(status: number, name: string, text: string): ScriptedReply {
  return {
    status,
    headers: { 'iothub-errorcode': name },
    body: {
      Message: `ErrorCode:${name};${text}`,
      ExceptionMessage: 'Tracking ID:0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:10-TimeStamp:11/20/2026 10:11:12',
    },
  };
}
