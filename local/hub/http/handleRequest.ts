import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestFault } from '../faults.ts';
import type { Hub } from '../hub.ts';
import type { OperationRequest, Reply } from '../operations/operation.ts';
import { OPERATIONS } from '../operations/table.ts';
import { THROTTLE_TEXTS } from '../throttles.ts';
import { parseNumbers } from '../wire/numbers.ts';
import { HUB_AUDIENCE, readBearer } from './bearerToken.ts';
import { readWholeBody, writeJson } from './httpServer.ts';
import { errorReply, HubError, PlainHttpError } from './hubError.ts';
import { demandRole } from './roles.ts';
import { createRouter, type Match } from './router.ts';
import { checkToken } from './sharedAccessSignature.ts';

/** Versions that clients in use send and live hubs take. */
const API_VERSIONS = new Set(['2018-06-30', '2020-05-31-preview', '2020-09-30', '2021-04-12', '2024-03-31']);
const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** What a lost reply looks like to the caller: the connection is gone. */
class LostReply extends Error {
  override readonly name = 'LostReply';
}

/** The hub's REST surface. `hosts` are the names that SAS tokens may be for. */
export function createRequestHandler(hub: Hub, hosts: () => ReadonlySet<string>) {
  const route = createRouter(OPERATIONS);
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let match: Match | undefined;
    let reply: Reply;
    try {
      const body = await readWholeBody(request, MAX_BODY_BYTES);
      const url = new URL(request.url ?? '/', 'http://hub');
      match = route(request.method ?? 'GET', url.pathname);
      demandRight(hub, hosts(), request, url, match);
      reply = await perform(hub, match, request, url, body);
    } catch (error) {
      if (error instanceof LostReply || response.destroyed) {
        hub.activity.dropped(match?.operation.name ?? 'unknown');
        response.destroy();
        return;
      }
      reply = failureReply(error, match);
    }
    hub.activity.replied(match?.operation.name ?? 'unknown', reply.status);
    writeJson(response, reply.status, reply.headers ?? {}, reply.body);
  };
}

function demandRight(hub: Hub, hosts: ReadonlySet<string>, request: IncomingMessage, url: URL, match: Match): void {
  demandOf(hub, hosts, request.headers.authorization, url, match);
  const version = url.searchParams.get('api-version');
  if (version === null || !API_VERSIONS.has(version)) {
    throw new PlainHttpError(
      400,
      'InvalidProtocolVersion',
      `The api-version '${version ?? ''}' is not supported; known: ${[...API_VERSIONS].join(', ')}.`,
    );
  }
}

function demandOf(
  hub: Hub,
  hosts: ReadonlySet<string>,
  header: string | undefined,
  { pathname: path }: URL,
  { operation }: Match,
): void {
  const nowMs = hub.now();
  const [, token] = /^Bearer\s+(.+)$/i.exec(header ?? '') ?? [];
  if (token !== undefined) {
    demandRole(readBearer({ token, key: hub.entraKey, audience: HUB_AUDIENCE, nowMs }).roles, operation);
    return;
  }
  if (!checkToken({ header, policies: hub.policies, hosts, path, nowMs }).has(operation.right)) {
    throw new HubError('IotHubUnauthorizedAccess', `Unauthorized. The policy lacks the right ${operation.right}.`);
  }
}

async function perform(
  hub: Hub,
  { operation, params }: Match,
  request: IncomingMessage,
  url: URL,
  body: Buffer | undefined,
): Promise<Reply> {
  if (body === undefined) throw new HubError('MessageTooLarge', `The body may have ${MAX_BODY_BYTES} bytes.`);
  const fault = hub.faults.forRequest(operation.name, params.deviceId);
  if (hub.settings.replyDelayMs > 0) await sleep(hub.settings.replyDelayMs);
  if (fault?.delayMs) await sleep(fault.delayMs);
  if (fault?.when === 'before') strike(fault);
  const input: OperationRequest = {
    params,
    query: url.searchParams,
    headers: request.headers,
    body: parseBody(body, operation),
  };
  await throttled(hub, operation.throttle, input);
  const reply = await operation.handle(hub, input);
  if (fault?.when === 'after') strike(fault);
  return reply;
}

function strike(fault: RequestFault): void {
  if (fault.drop) throw new LostReply();
  if (fault.error) throw fault.error;
}

async function throttled(hub: Hub, throttle: Match['operation']['throttle'], input: OperationRequest): Promise<void> {
  if (throttle === undefined) return;
  const items = throttle.items?.(input) ?? 1;
  const admission = hub.throttles.admit(throttle.kind, items);
  if (!admission.admitted) {
    // The live text, without Retry-After.
    throw new HubError(
      'ThrottlingBacklogTimeout',
      `The request has been throttled. Wait 10 seconds and try again. Operation type: ${THROTTLE_TEXTS[throttle.kind]}`,
      { Connection: 'close' },
    );
  }
  hub.activity.admitted(throttle.kind, items);
  if (admission.waitMs > 0) await sleep(admission.waitMs);
}

function parseBody(body: Buffer, { readsTwins }: Pick<Match['operation'], 'readsTwins'>): unknown {
  if (body.length === 0) return undefined;
  try {
    return readsTwins ? parseNumbers(body.toString()) : JSON.parse(body.toString());
  } catch {
    throw new HubError('IotHubFormatError', 'The body is no JSON.');
  }
}

function failureReply(error: unknown, match: Match | undefined): Reply {
  const known = error instanceof HubError || error instanceof PlainHttpError;
  if (!known) console.error('The simulator failed:', error);
  const shown = known ? error : new HubError('ServerError', 'An internal error occurred.');
  const trackingId = randomBytes(16).toString('hex').toUpperCase();
  return errorReply(shown, match?.operation.errorForm ?? 'message', trackingId, new Date());
}
