import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpRequestLike, HttpResponseLike } from '../contracts.ts';
import { errorText, type HostLog } from '../log.ts';

/** `FUNCTIONS_REQUEST_BODY_SIZE_LIMIT` of the real host, by default. */
const maximumBody = 100 * 1024 * 1024;

export type Answer = HttpResponseLike & { readonly cookies?: readonly string[] };

export type RequestHandler = (request: HttpRequestLike) => Promise<Answer>;

/** The host's listener: it is up before the app is loaded, so that its port is known, and answers 503 until then. */
export interface HostServer {
  readonly port: number;
  handle(handler: RequestHandler): void;
  /** Takes no new connections; those that are open may finish. */
  close(): void;
  /** Ends what is still open. */
  destroy(): Promise<void>;
}

export async function startServer(port: number, log: HostLog): Promise<HostServer> {
  let handler: RequestHandler | undefined;
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing, handler).catch((error: unknown) => {
      log('error', 'http', `${incoming.method} ${incoming.url?.replace(/\?.*/, '')}: ${errorText(error)}`);
      if (outgoing.headersSent) {
        outgoing.destroy();
      } else {
        outgoing.writeHead(500).end();
      }
    });
  });
  // A handler may take as long as the function timeout allows.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new Error(`Port ${port} is taken; choose another with --port.`) : error),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    handle(next) {
      handler = next;
    },
    close() {
      server.close();
    },
    async destroy() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      // What is being written now may still arrive.
      const timer = setTimeout(() => server.closeAllConnections(), 500);
      await closed;
      clearTimeout(timer);
    },
  };
}

async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  handler: RequestHandler | undefined,
): Promise<void> {
  if (handler === undefined) {
    outgoing.writeHead(503).end();
    return;
  }
  const body = await readBody(incoming);
  if (body === undefined) {
    outgoing.writeHead(413, { connection: 'close' }).end();
    return;
  }
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(incoming.headersDistinct)) {
    headers[name] = (values ?? []).join(name === 'cookie' ? '; ' : ',');
  }
  const request = { method: incoming.method ?? 'GET', url: incoming.url ?? '/', headers, body };
  write(outgoing, request, await handler(request));
}

async function readBody(incoming: IncomingMessage): Promise<Uint8Array | undefined> {
  if (Number(incoming.headers['content-length'] ?? 0) > maximumBody) {
    return undefined;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maximumBody) {
      return undefined;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Statuses that have no body by definition (RFC 9110). */
const bodyless = new Set([204, 205, 304]);

function write(outgoing: ServerResponse, request: HttpRequestLike, answer: Answer): void {
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    outgoing.setHeader(name, value);
  }
  if (answer.cookies !== undefined && answer.cookies.length > 0) {
    outgoing.setHeader('set-cookie', answer.cookies);
  }
  outgoing.statusCode = answer.status;
  if (bodyless.has(answer.status)) {
    outgoing.end();
    return;
  }
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : (answer.body ?? Buffer.alloc(0));
  outgoing.setHeader('content-length', body.byteLength);
  outgoing.end(request.method === 'HEAD' ? undefined : body);
}
