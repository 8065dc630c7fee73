/** Stand-ins for what gives tokens in Azure and what checks them in storage: no key has a part in it but that of the tokens. */

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, request as secureRequest } from 'node:https';
import type { AddressInfo } from 'node:net';

import { readBearer } from '../../local/hub/http/bearerToken.ts';
import { entraToken } from './entraToken.ts';
import type { Certificate, Front } from './tlsFront.ts';

/** Seconds that a token is good for: clients renew one two minutes before its end, so the app does all the time. */
const TOKEN_SECONDS = 125;
const STORAGE = 'https://storage.azure.com';

export interface IdentityEndpoint {
  /** `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`, for one process. */
  environment(secret: string): Readonly<Record<string, string>>;
  /** Tokens that were given, by audience. */
  readonly given: Map<string, number>;
  readonly tokens: Set<string>;
  close(): Promise<void>;
}

/** A role on a thing. */
export interface Grant {
  readonly role: string;
  readonly on: string;
}

/** Who asks: the process by its header, and the user-assigned identity by its client id ('' for the system-assigned one). */
export interface Principal {
  readonly secret: string;
  readonly clientId: string;
  /** What it may do now. */
  readonly rights: () => readonly Grant[];
}

/**
 * An identity endpoint as App Service has it
 * (https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference).
 */
export async function startIdentityEndpoint(key: string, principals: readonly Principal[]): Promise<IdentityEndpoint> {
  const given = new Map<string, number>();
  const tokens = new Set<string>();
  const answer = ({ url, headers }: IncomingMessage): { status: number; body: object } => {
    const { searchParams: query } = new URL(url ?? '', 'http://identity');
    const secret = headers['x-identity-header'];
    if (!principals.some((one) => one.secret === secret)) return { status: 401, body: { message: 'No such header.' } };
    if (query.get('api-version') !== '2019-08-01') return { status: 400, body: { message: 'No such version.' } };
    const clientId = query.get('client_id') ?? '';
    const principal = principals.find((one) => one.secret === secret && one.clientId === clientId);
    if (principal === undefined)
      return { status: 400, body: { message: 'No identity is assigned of that client id.' } };
    const resource = query.get('resource') ?? '';
    const isStorage = resource.startsWith(STORAGE);
    // Storage has two accounts here; elsewhere there is one thing that a role can be on.
    const roles = principal.rights().map((right) => (isStorage ? `${right.role} on ${right.on}` : right.role));
    const token = entraToken(key, { audience: resource, roles, seconds: TOKEN_SECONDS });
    tokens.add(token);
    given.set(resource, (given.get(resource) ?? 0) + 1);
    const expires_on = String(Math.floor(Date.now() / 1000) + TOKEN_SECONDS);
    return {
      status: 200,
      body: { access_token: token, expires_on, resource, token_type: 'Bearer', client_id: clientId },
    };
  };
  const server = createServer((request, response) => {
    const { status, body } = answer(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/msi/token`;
  return {
    given,
    tokens,
    environment: (secret) => ({ IDENTITY_ENDPOINT: address, IDENTITY_HEADER: secret }),
    close: async () => void server.close().closeAllConnections(),
  };
}

export interface StorageGate extends Front {
  /** Least time that a token had left, in ms. */
  leastLeftMs(): number;
}

/** The name of a role of storage that opens a service on an account. */
const OPENS = {
  blob: ['Storage Blob Data Contributor', 'Storage Blob Data Owner'],
  queue: ['Storage Queue Data Contributor'],
  table: ['Storage Table Data Contributor'],
} as const;

/**
 * What Azurite leaves out: signatures and roles of tokens. Stands before one of its services, over TLS, and passes on what
 * comes with a token whose roles are on the account that is asked for; refuses the rest as storage does, keys too.
 */
export async function startStorageGate(options: {
  readonly service: keyof typeof OPENS;
  readonly azuritePort: number;
  readonly key: string;
  readonly certificate: Certificate;
  /** What an account is called in roles. */
  readonly scopes: Readonly<Record<string, string>>;
}): Promise<StorageGate> {
  const { service, key, certificate, scopes } = options;
  let leastLeftMs = Number.POSITIVE_INFINITY;
  const isAllowed = ({ headers, url = '' }: IncomingMessage): boolean => {
    const [, token = ''] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? [];
    const { roles, expiresMs } = readBearer({ token, key, audience: STORAGE, nowMs: Date.now() });
    leastLeftMs = Math.min(leastLeftMs, expiresMs - Date.now());
    const on = scopes[url.split(/[/?]/)[1] ?? ''];
    return OPENS[service].some((role) => roles.includes(`${role} on ${on}`));
  };
  const refusal = (request: IncomingMessage): { status: number; code: string } | undefined => {
    try {
      return isAllowed(request) ? undefined : { status: 403, code: 'AuthorizationPermissionMismatch' };
    } catch {
      return { status: 403, code: 'KeyBasedAuthenticationNotPermitted' };
    }
  };
  const server = createSecureServer({ cert: certificate.cert, key: certificate.key }, (request, response) => {
    const refused = refusal(request);
    if (refused !== undefined) return refuse(request, response, service, refused);
    const { method, url, headers } = request;
    const target = { host: '127.0.0.1', port: options.azuritePort, ca: certificate.cert };
    const onward = secureRequest({ ...target, method, path: url, headers }, (reply) => {
      response.writeHead(reply.statusCode ?? 500, reply.rawHeaders);
      reply.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  server.keepAliveTimeout = 65_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    leastLeftMs: () => leastLeftMs,
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  service: keyof typeof OPENS,
  { status, code }: { readonly status: number; readonly code: string },
): void {
  const message = `This request is not authorized to perform this operation using this permission.\nRequestId:${randomUUID()}`;
  const isTable = service === 'table';
  const body = isTable
    ? JSON.stringify({ 'odata.error': { code, message: { lang: 'en-US', value: message } } })
    : `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  request.resume();
  response.writeHead(status, {
    'x-ms-error-code': code,
    'content-type': isTable ? 'application/json;odata=minimalmetadata' : 'application/xml',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
