import type { IncomingMessage, ServerResponse } from 'node:http';
import { readForeignEvent } from '../events/foreignEvent.ts';
import { readWholeBody, writeJson } from '../http/httpServer.ts';
import { HubError } from '../http/hubError.ts';
import type { Hub } from '../hub.ts';
import { demandSettings, type HubSettings } from '../hubOptions.ts';
import { JOB_TYPES } from '../jobs/jobStore.ts';
import { OPERATION_NAMES } from '../operations/table.ts';
import { isJsonObject } from '../twin/twinLimits.ts';
import { adminState, eventState } from './adminState.ts';

interface AdminReply {
  readonly status: number;
  readonly body: unknown;
}

type AdminAction = (hub: Hub, body: unknown, id: string | undefined) => AdminReply | Promise<AdminReply>;

/** A request that cannot be done; the message says what to send instead. */
class AdminError extends Error {
  override readonly name = 'AdminError';
}

const MAX_BODY_BYTES = 16 * 1024 * 1024;
const RESETTABLE = ['registry', 'configurations', 'jobs', 'faults', 'activity'] as const;

/** JSON has no infinity: null takes a limit away. */
function withoutLimits(values: Partial<HubSettings>): Partial<HubSettings> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value ?? Number.POSITIVE_INFINITY]));
}

/** Everything that the admin server does, by method and path. `:id` is the second segment. */
const ACTIONS: Readonly<Record<string, AdminAction>> = {
  'GET /state': (hub) => ok(adminState(hub)),
  'GET /options': (hub) => ok(hub.settings),
  'PATCH /options': (hub, body) => {
    const values = demandObject(body);
    attempt(() => demandSettings(values));
    Object.assign(hub.settings, withoutLimits(values));
    return ok(hub.settings);
  },
  'POST /reset': reset,
  'GET /faults': (hub) => ok(hub.faults.list()),
  'POST /faults': (hub, body) => {
    const specs = Array.isArray(body) ? body : [body];
    return { status: 201, body: specs.map((spec) => attempt(() => hub.faults.add(spec, OPERATION_NAMES))) };
  },
  'DELETE /faults': (hub) => {
    hub.faults.clear();
    return ok([]);
  },
  'DELETE /faults/:id': (hub, _body, id) => {
    if (!hub.faults.remove(Number(id))) throw new AdminError(`There is no fault ${id}.`);
    return ok(hub.faults.list());
  },
  'POST /jobs': (hub, body) => {
    const { type = 'export', durationMs } = demandObject(body);
    const jobType = JOB_TYPES.find((known) => known === type);
    if (jobType === undefined) throw new AdminError(`type must be one of ${JOB_TYPES.join(', ')}.`);
    if (typeof durationMs !== 'number' || durationMs < 0)
      throw new AdminError('durationMs must be a number of at least 0.');
    const { jobId } = attempt(() => hub.jobs.addForeign(jobType, durationMs));
    return { status: 201, body: { jobId } };
  },
  'POST /events/:id': (hub, body, name = '') => {
    const action = EVENT_ACTIONS[name];
    if (action === undefined) {
      throw new AdminError(`Unknown '${name}'; known: ${Object.keys(EVENT_ACTIONS).join(', ')}.`);
    }
    action(hub, body === undefined ? {} : demandObject(body));
    return ok(eventState(hub));
  },
};

/** What can happen to the event endpoint, and to its readers. */
const EVENT_ACTIONS: Readonly<Record<string, (hub: Hub, body: Record<string, unknown>) => void>> = {
  failover: (hub) => {
    hub.events.failOver();
    hub.eventEndpoint.drop();
  },
  add: (hub, body) => {
    const { deviceId, ...event } = attempt(() => readForeignEvent(body));
    const payload = JSON.stringify(event);
    hub.store.transaction(() => hub.events.append({ kind: 'foreign', deviceId, moduleId: '', payload }));
  },
  drop: (hub) => hub.eventEndpoint.drop(),
  refuse: (hub, { durationMs }) => {
    if (typeof durationMs !== 'number' || durationMs < 0) {
      throw new AdminError('durationMs must be a number of at least 0.');
    }
    hub.eventEndpoint.refuse(durationMs);
  },
  redeliver: (hub, { events }) => {
    if (events !== undefined && !(Number.isInteger(events) && Number(events) >= 1)) {
      throw new AdminError('events must be a whole number of at least 1, or absent for all.');
    }
    hub.eventEndpoint.redeliver(events === undefined ? undefined : Number(events));
  },
};

async function reset(hub: Hub, body: unknown): Promise<AdminReply> {
  const { what = RESETTABLE } = body === undefined ? {} : demandObject(body);
  const wanted = Array.isArray(what) ? what : [what];
  const unknown = wanted.find((item) => !RESETTABLE.includes(item));
  if (unknown !== undefined) throw new AdminError(`'${unknown}' cannot be reset; known: ${RESETTABLE.join(', ')}.`);
  // Jobs first: a running import would go on filling the registry.
  if (wanted.includes('jobs')) await hub.jobs.clear();
  if (wanted.includes('registry')) {
    hub.store.clear();
    hub.consistency.clear();
    hub.throttles.clear();
  }
  if (wanted.includes('configurations')) hub.configurations.clear();
  if (wanted.includes('faults')) {
    hub.faults.clear();
    hub.eventEndpoint.refuse(0);
  }
  if (wanted.includes('activity')) hub.activity.clear();
  return ok(adminState(hub));
}

/** The admin server: for tests and people on this machine, without authentication. */
export function createAdminHandler(hub: Hub) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const reply = await answer(hub, request).catch((error: unknown) => {
      if (error instanceof AdminError) return { status: 400, body: { error: error.message } };
      console.error('The admin server failed:', error);
      return { status: 500, body: { error: 'The admin server failed; its log says why.' } };
    });
    writeJson(response, reply.status, {}, reply.body);
  };
}

async function answer(hub: Hub, request: IncomingMessage): Promise<AdminReply> {
  const bytes = await readWholeBody(request, MAX_BODY_BYTES);
  if (bytes === undefined) throw new AdminError(`The body may have ${MAX_BODY_BYTES} bytes.`);
  const [first = '', id] = new URL(request.url ?? '/', 'http://admin').pathname
    .split('/')
    .filter((part) => part !== '');
  const key = `${request.method} /${first}${id === undefined ? '' : '/:id'}`;
  const action = ACTIONS[key];
  if (action === undefined) {
    return { status: 404, body: { error: `Unknown request; known: ${Object.keys(ACTIONS).join(', ')}.` } };
  }
  return action(hub, bytes.length === 0 ? undefined : attempt(() => JSON.parse(bytes.toString())), id);
}

function ok(body: unknown): AdminReply {
  return { status: 200, body };
}

function demandObject(body: unknown): Record<string, unknown> {
  if (!isJsonObject(body)) throw new AdminError('The body must be a JSON object.');
  return body;
}

/** Turns a refusal into a 400 with its message. */
function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof HubError) throw new AdminError(`${error.code}: ${error.message}`);
    throw new AdminError(error instanceof Error ? error.message : String(error));
  }
}
