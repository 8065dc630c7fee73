import { randomUUID } from 'node:crypto';
import type { HttpRequestLike, HttpResponseLike } from '../contracts.ts';
import { type EngineParts, warnOfLargePayload } from './engineParts.ts';
import { entityInstanceId, parseEntityInstanceId } from './entityRunner.ts';
import { eventType, isoTime } from './historyEvents.ts';
import { instanceStatus, parsed, wholeSeconds } from './instanceStatus.ts';
import { instanceIdProblem, unknownFunctionMessage } from './interpreter.ts';
import { managementUrls, rpcPath, type UrlOptions, webhookPath } from './managementUrls.ts';
import { startInstance } from './startInstance.ts';
import { type InstanceQuery, type InstanceRow, isFinished, type MessageBody, type RuntimeStatus } from './store.ts';

export interface ManagementApiOptions extends UrlOptions {
  /** Resolves when the instance has ended, or when the time is over. */
  readonly waitForEnd: (instanceId: string, timeoutMs: number) => Promise<void>;
}

interface ApiRequest {
  readonly method: string;
  readonly url: string;
  readonly query: URLSearchParams;
  readonly header: (name: string) => string | undefined;
  readonly text: string;
}

const continuationHeader = 'x-ms-continuation-token';
const defaultPageSize = 100;

/**
 * The management API of Durable Functions (HttpApiHandler.cs; docs: Durable Functions HTTP API reference), for clients
 * and for the durable client library. Answers undefined for paths that are not its own. Keys are the caller's business.
 */
export function createManagementApi(
  parts: EngineParts,
  options: ManagementApiOptions,
): (request: HttpRequestLike) => Promise<HttpResponseLike | undefined> {
  const { store, mailroom, clock, functions, log } = parts;

  return async function handleHttp(request) {
    const url = new URL(request.url, options.baseUrl);
    const base = [webhookPath, rpcPath].find((each) => `${url.pathname.toLowerCase()}/`.startsWith(`${each}/`));
    if (base === undefined) {
      return undefined;
    }
    const headers = new Map(Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]));
    const apiRequest: ApiRequest = {
      method: request.method.toUpperCase(),
      url: url.href,
      query: url.searchParams,
      header: (name) => headers.get(name),
      text: Buffer.from(request.body).toString('utf8'),
    };
    const otherHub = apiRequest.query.get('taskHub');
    if (otherHub !== null && otherHub !== '' && otherHub.toLowerCase() !== options.taskHub.toLowerCase()) {
      return failure(400, `This host serves the task hub "${options.taskHub}" only, not "${otherHub}".`);
    }
    const path = decodedPath(url.pathname.slice(base.length));
    if (path === undefined) {
      return failure(400, 'The path is not valid percent-encoded text.');
    }
    return route(apiRequest, path);
  };

  async function route(request: ApiRequest, path: readonly string[]): Promise<HttpResponseLike> {
    const { method } = request;
    const [area, first, second, third] = path;
    if (area === 'orchestrators' && first !== undefined && path.length <= 3 && method === 'POST') {
      return start(request, first, second);
    }
    if (area === 'entities' && first !== undefined && path.length <= 3) {
      if (method === 'GET') {
        return second === undefined ? listEntities(request, first) : readEntity(first, second);
      }
      return second !== undefined && (method === 'POST' || method === 'DELETE')
        ? signalEntity(request, first, second)
        : notFound;
    }
    if (area !== 'instances') {
      return notFound;
    }
    if (first === undefined) {
      return method === 'GET' ? listInstances(request) : method === 'DELETE' ? purgeMany(request) : notFound;
    }
    if (second === undefined) {
      return method === 'GET' ? getStatus(request, first) : method === 'DELETE' ? purgeOne(first) : notFound;
    }
    if (method !== 'POST') {
      return notFound;
    }
    const operation = second.toLowerCase();
    if (operation === 'raiseevent' && third !== undefined && path.length === 4) {
      return raiseEvent(request, first, third);
    }
    if (path.length !== 3) {
      return notFound;
    }
    const reason = request.query.get('reason') ?? '';
    switch (operation) {
      case 'terminate':
        return control(first, { kind: 'terminate', reason });
      case 'suspend':
        return control(first, { kind: 'suspend', reason }, 'Suspended');
      case 'resume':
        return control(first, { kind: 'resume', reason }, 'Running');
      case 'restart':
        return restart(request, first);
      case 'rewind':
        return rewind(first);
      default:
        return notFound;
    }
  }

  async function start(request: ApiRequest, name: string, givenId: string | undefined): Promise<HttpResponseLike> {
    const instanceId = givenId ?? randomUUID().replaceAll('-', '');
    const problem = instanceIdProblem(instanceId);
    if (problem !== undefined) {
      return failure(400, problem);
    }
    if (request.text !== '' && !isJson(request.text)) {
      return failure(400, 'Invalid JSON content');
    }
    const input = request.text === '' ? null : request.text;
    warnOfLargePayload(log, `The input of instance '${instanceId}' of '${name}'`, input);
    const version = request.query.get('version') ?? parts.settings.defaultVersion;
    return create(request, { instanceId, name, version, input }, (status) =>
      failure(409, `An Orchestration instance with the status ${status} already exists.`),
    );
  }

  async function create(
    request: ApiRequest,
    instance: Pick<InstanceRow, 'instanceId' | 'name' | 'version' | 'input'>,
    conflict: (status: RuntimeStatus) => HttpResponseLike,
  ): Promise<HttpResponseLike> {
    const occupied = mailroom.commit((outgoing) =>
      startInstance(parts, outgoing, {
        // An unknown name is accepted, as in Azure; the instance then fails with a text that says so.
        ...instance,
        name: functions.find('orchestrator', instance.name)?.name ?? instance.name,
        executionId: randomUUID(),
        parent: null,
      }),
    );
    if (occupied !== undefined) {
      return conflict(occupied);
    }
    const timeoutSeconds = secondsOf(request, 'timeout');
    if (timeoutSeconds === undefined || secondsOf(request, 'pollingInterval') === undefined) {
      return checkStatusResponse(instance.instanceId);
    }
    await options.waitForEnd(instance.instanceId, timeoutSeconds * 1000);
    const row = store.instance(instance.instanceId);
    if (row === undefined || !isFinished(row.status)) {
      return checkStatusResponse(instance.instanceId);
    }
    return row.status === 'Completed' ? json(200, parsed(row.output)) : getStatus(request, instance.instanceId);
  }

  function checkStatusResponse(instanceId: string): HttpResponseLike {
    const urls = managementUrls(options, instanceId);
    return json(202, urls, { location: urls['statusQueryGetUri'] ?? '', 'retry-after': '10' });
  }

  function getStatus(request: ApiRequest, instanceId: string): HttpResponseLike {
    const row = store.instance(instanceId);
    if (row === undefined) {
      return notFound;
    }
    const body = instanceStatus(row, {
      showInput: flag(request, 'showInput') ?? true,
      showHistoryOutput: flag(request, 'showHistoryOutput') ?? false,
      ...(flag(request, 'showHistory') && { history: store.history(instanceId) }),
    });
    if (!isFinished(row.status)) {
      return json(202, body, { location: request.url, 'retry-after': '5' });
    }
    return json(row.status === 'Failed' && flag(request, 'returnInternalServerErrorOnFailure') ? 500 : 200, body);
  }

  function listInstances(request: ApiRequest): HttpResponseLike {
    const pageSize = pageSizeOf(request);
    const after = continuation(request);
    const rows = store.instances({
      ...instanceFilter(request),
      ...(after !== undefined && { after }),
      idPrefix: request.query.get('instanceIdPrefix') ?? '',
      limit: pageSize + 1,
    });
    const page = rows.slice(0, pageSize);
    const showInput = flag(request, 'showInput') ?? true;
    return json(
      200,
      page.map((row) => instanceStatus(row, { showInput })),
      continuationHeaders(rows.length > pageSize ? page.at(-1)?.instanceId : undefined),
    );
  }

  function purgeOne(instanceId: string): HttpResponseLike {
    if (instanceId.startsWith('@')) {
      const existed = store.entity(instanceId) !== undefined;
      store.transaction(() => store.deleteEntity(instanceId));
      return existed ? json(200, { instancesDeleted: 1 }) : notFound;
    }
    const row = store.instance(instanceId);
    if (row === undefined) {
      return notFound;
    }
    if (!isFinished(row.status)) {
      return json(
        412,
        `Only orchestrations in a terminal state can be purged, but the orchestration with instance ID ${instanceId} has status ${row.status}`,
      );
    }
    store.transaction(() => store.deleteInstance(instanceId));
    return json(200, { instancesDeleted: 1 });
  }

  function purgeMany(request: ApiRequest): HttpResponseLike {
    const filter = instanceFilter(request);
    if (filter.createdFrom === undefined) {
      return json(400, "Please provide value for 'createdTimeFrom' parameter.");
    }
    const deleted = store.transaction(() => {
      const rows = store.instances(filter).filter((row) => isFinished(row.status));
      for (const row of rows) {
        store.deleteInstance(row.instanceId);
      }
      return rows.length;
    });
    return deleted === 0 ? notFound : json(200, { instancesDeleted: deleted });
  }

  function raiseEvent(request: ApiRequest, instanceId: string, eventName: string): HttpResponseLike {
    const refusal = refusalFor(instanceId);
    if (refusal !== undefined) {
      return refusal;
    }
    if (request.text !== '') {
      if (!isJsonContent(request)) {
        return failure(400, 'Only application/json request content is supported');
      }
      if (!isJson(request.text)) {
        return failure(400, 'Invalid JSON content');
      }
    }
    const now = clock();
    warnOfLargePayload(log, `Event '${eventName}' of instance '${instanceId}'`, request.text);
    sendTo(instanceId, {
      kind: 'event',
      event: {
        EventType: eventType.eventRaised,
        EventId: -1,
        Timestamp: isoTime(now),
        Name: eventName,
        Input: request.text === '' ? 'null' : request.text,
      },
    });
    return accepted;
  }

  function control(instanceId: string, body: MessageBody, refusedIn?: RuntimeStatus): HttpResponseLike {
    const refusal = refusalFor(instanceId);
    if (refusal !== undefined) {
      return refusal;
    }
    const status = store.instance(instanceId)?.status;
    if (status === refusedIn) {
      return failure(
        500,
        'Something went wrong while processing your request',
        `Cannot ${body.kind} orchestration instance in the ${status} state.`,
      );
    }
    sendTo(instanceId, body);
    return accepted;
  }

  /** An instance that is unknown (404) or has ended (410) takes no messages. */
  function refusalFor(instanceId: string): HttpResponseLike | undefined {
    const row = store.instance(instanceId);
    if (row === undefined) {
      return notFound;
    }
    return isFinished(row.status) ? { status: 410 } : undefined;
  }

  function sendTo(instanceId: string, body: MessageBody): void {
    mailroom.commit((outgoing) => {
      outgoing.send({ target: instanceId, executionId: null, visibleAt: clock(), body });
    });
  }

  function restart(request: ApiRequest, instanceId: string): Promise<HttpResponseLike> | HttpResponseLike {
    const row = store.instance(instanceId);
    if (row === undefined) {
      return failure(400, 'InstanceId does not match a valid orchestration instance.');
    }
    const withNewId = flag(request, 'restartWithNewInstanceId') ?? true;
    return create(request, { ...row, instanceId: withNewId ? randomUUID().replaceAll('-', '') : instanceId }, () =>
      failure(409, 'A non-terminal instance with this instance ID already exists.'),
    );
  }

  function rewind(instanceId: string): HttpResponseLike {
    const row = store.instance(instanceId);
    if (row === undefined) {
      return json(404, `No orchestration with instance ID "${instanceId}" found.`);
    }
    if (row.status !== 'Failed') {
      return json(
        412,
        `This orchestration has status ${row.status}, but only orchestrations in the "Failed" state can be rewound.`,
      );
    }
    return json(501, 'Rewind is not supported by the local Durable engine; restart the instance instead.');
  }

  function readEntity(name: string, key: string): HttpResponseLike {
    const row = store.entity(entityInstanceId({ name, key: key === '$' ? '' : key }));
    return row?.exists ? json(200, parsed(row.state)) : notFound;
  }

  function listEntities(request: ApiRequest, name: string): HttpResponseLike {
    const pageSize = pageSizeOf(request);
    const after = continuation(request);
    const lastOperationFrom = timeOf(request, 'lastOperationTimeFrom');
    const lastOperationTo = timeOf(request, 'lastOperationTimeTo');
    const rows = store.entities({
      name: name.toLowerCase(),
      ...(after !== undefined && { after }),
      ...(lastOperationFrom !== undefined && { lastOperationFrom }),
      ...(lastOperationTo !== undefined && { lastOperationTo }),
      limit: pageSize + 1,
    });
    const page = rows.slice(0, pageSize);
    const showState = flag(request, 'fetchState') ?? false;
    return json(
      200,
      page.map((row) => ({
        entityId: parseEntityInstanceId(row.id),
        lastOperationTime: wholeSeconds(row.lastOperationAt),
        state: showState ? parsed(row.state) : null,
      })),
      continuationHeaders(rows.length > pageSize ? page.at(-1)?.id : undefined),
    );
  }

  function signalEntity(request: ApiRequest, name: string, key: string): HttpResponseLike {
    if (functions.find('entity', name) === undefined) {
      return failure(400, unknownFunctionMessage('entity', name, functions.names('entity')));
    }
    let input: string | null = null;
    if (request.text !== '') {
      const isContentJson = isJsonContent(request);
      if (isContentJson && !isJson(request.text)) {
        return failure(400, 'Could not parse JSON content');
      }
      input = isContentJson ? request.text : JSON.stringify(request.text);
    }
    sendTo(entityInstanceId({ name, key: key === '$' ? '' : key }), {
      kind: 'operation',
      operation: {
        id: randomUUID(),
        name: request.method === 'DELETE' ? 'delete' : (request.query.get('op') ?? ''),
        input,
      },
    });
    return accepted;
  }
}

const accepted: HttpResponseLike = { status: 202 };
const notFound: HttpResponseLike = { status: 404 };

/** The extension decodes the whole path first, so that an encoded slash parts the path and a plus is a space. */
function decodedPath(path: string): string[] | undefined {
  try {
    return decodeURIComponent(path.replaceAll('+', ' '))
      .replace(/^\/+|\/+$/g, '')
      .split('/')
      .filter((segment, index, all) => segment !== '' || (index > 0 && index < all.length - 1));
  } catch {
    return undefined;
  }
}

function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): HttpResponseLike {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(body),
  };
}

function failure(status: number, message: string, exceptionMessage?: string): HttpResponseLike {
  return json(status, {
    Message: message,
    ...(exceptionMessage !== undefined && { ExceptionMessage: exceptionMessage }),
  });
}

function flag(request: ApiRequest, name: string): boolean | undefined {
  const value = request.query.get(name)?.toLowerCase();
  return value === 'true' ? true : value === 'false' ? false : undefined;
}

function secondsOf(request: ApiRequest, name: string): number | undefined {
  const value = Number.parseFloat(request.query.get(name) ?? '');
  return Number.isNaN(value) ? undefined : value;
}

function pageSizeOf(request: ApiRequest): number {
  const value = Number.parseInt(request.query.get('top') ?? '', 10);
  return value > 0 ? value : defaultPageSize;
}

function timeOf(request: ApiRequest, name: string): number | undefined {
  const ms = Date.parse(request.query.get(name) ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}

function instanceFilter(request: ApiRequest): InstanceQuery {
  const createdFrom = timeOf(request, 'createdTimeFrom');
  const createdTo = timeOf(request, 'createdTimeTo');
  const statuses = request.query
    .getAll('runtimeStatus')
    .flatMap((value) => value.split(','))
    .filter(Boolean);
  return {
    ...(createdFrom !== undefined && { createdFrom }),
    ...(createdTo !== undefined && { createdTo }),
    ...(statuses.length > 0 && { statuses }),
  };
}

function continuation(request: ApiRequest): string | undefined {
  const token = request.header(continuationHeader);
  return token === undefined || token === '' ? undefined : Buffer.from(token, 'base64url').toString('utf8');
}

function continuationHeaders(lastId: string | undefined): Record<string, string> {
  return lastId === undefined ? {} : { [continuationHeader]: Buffer.from(lastId).toString('base64url') };
}

function isJsonContent(request: ApiRequest): boolean {
  return (request.header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() === 'application/json';
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
