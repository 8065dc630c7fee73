import { ERROR_NUMBERS, type ErrorName, errorNameOf } from './errorCodes.ts';
import { HubError, PlainHttpError } from './http/hubError.ts';
import type { RegistryLine } from './wire/registryLine.ts';

/**
 * One fault, as it is set over the admin server. `operation` is a name of the operation table, `*` for all of them,
 * `importLine` (a line of an import job), `importConfiguration` (a line of its configurations, `ids` are theirs), `bulkItem` (an item of a bulk call), `importJob` or `exportJob`.
 */
export interface FaultSpec {
  readonly operation: string;
  /** HTTP status of the error; its usual code is taken unless `code` says another. */
  readonly status?: number;
  /** An error name or number of the hub, e.g. `ThrottlingException` or 429001. */
  readonly code?: string | number;
  readonly message?: string;
  /** Destroys the connection instead of replying. */
  readonly drop?: boolean;
  readonly delayMs?: number;
  /** `after`: the change is applied first. Default `before`. */
  readonly when?: 'before' | 'after';
  /** Bulk items: the identity is made, its twin is not, and the reply has a warning. */
  readonly withoutTwin?: boolean;
  /** Jobs: end as failed, never end, or complete without writing any log. */
  readonly outcome?: 'fail' | 'hang' | 'noLog';
  /** Jobs that fail or hang: how many lines or devices are worked first. Default 0. */
  readonly afterLines?: number;
  /** Probability of each firing, 0 to 1. Default 1. */
  readonly rate?: number;
  /** Fires at most this often. */
  readonly count?: number;
  /** Lets this many occasions pass first. */
  readonly skip?: number;
  /** Only these device ids. */
  readonly ids?: readonly string[];
  /** Only device ids that match this regular expression. */
  readonly idPattern?: string;
  /** Each device id meets the fault only this many times. */
  readonly transient?: number;
}

const KEYS: Readonly<Record<keyof FaultSpec, (value: unknown) => boolean>> = {
  operation: (value) => typeof value === 'string',
  status: (value) => Number.isInteger(value) && Number(value) >= 400 && Number(value) <= 599,
  code: (value) => typeof value === 'string' || typeof value === 'number',
  message: (value) => typeof value === 'string',
  drop: (value) => typeof value === 'boolean',
  delayMs: (value) => typeof value === 'number' && value >= 0,
  when: (value) => value === 'before' || value === 'after',
  withoutTwin: (value) => typeof value === 'boolean',
  outcome: (value) => value === 'fail' || value === 'hang' || value === 'noLog',
  afterLines: (value) => Number.isInteger(value) && Number(value) >= 0,
  rate: (value) => typeof value === 'number' && value >= 0 && value <= 1,
  count: (value) => Number.isInteger(value) && Number(value) >= 1,
  skip: (value) => Number.isInteger(value) && Number(value) >= 0,
  ids: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  idPattern: (value) => typeof value === 'string',
  transient: (value) => Number.isInteger(value) && Number(value) >= 1,
};

export interface ListedFault {
  readonly id: number;
  readonly spec: FaultSpec;
  readonly fired: number;
}

export interface RequestFault {
  readonly when: 'before' | 'after';
  readonly delayMs: number;
  readonly drop: boolean;
  readonly error: HubError | PlainHttpError | undefined;
}

/** An error before or after the item is applied, or an identity that is made without its twin. */
export type ItemFault =
  | { readonly effect: 'before' | 'after'; readonly error: HubError }
  | { readonly effect: 'withoutTwin' };

export interface JobFault {
  readonly outcome: 'fail' | 'hang' | 'noLog';
  readonly afterLines: number;
  readonly message: string;
}

/** A line of an import job, of its configurations, or an item of a bulk call. */
export type ItemKind = 'importLine' | 'importConfiguration' | 'bulkItem';

export interface Faults {
  /** Throws with a sentence about the first thing wrong with the fault. */
  add(spec: unknown, operations: ReadonlySet<string>): ListedFault;
  list(): ListedFault[];
  remove(id: number): boolean;
  clear(): void;
  forRequest(operation: string, deviceId: string | undefined): RequestFault | undefined;
  forItem(kind: ItemKind, line: Pick<RegistryLine, 'deviceId'>): ItemFault | undefined;
  forJob(kind: 'importJob' | 'exportJob'): JobFault | undefined;
}

interface ActiveFault {
  readonly id: number;
  readonly spec: FaultSpec;
  readonly ids: ReadonlySet<string> | undefined;
  readonly pattern: RegExp | undefined;
  readonly met: Map<string, number>;
  occasions: number;
  fired: number;
}

const SPECIAL = ['importLine', 'importConfiguration', 'bulkItem', 'importJob', 'exportJob'];

/** The faults of a hub. `random` gives numbers from 0 to 1, seeded, so that a run can be repeated. */
export function createFaults(random: () => number): Faults {
  let active: ActiveFault[] = [];
  let lastId = 0;
  const listed = ({ id, spec, fired }: ActiveFault): ListedFault => ({ id, spec, fired });

  const fires = (fault: ActiveFault, deviceId: string | undefined): boolean => {
    const { spec, ids, pattern } = fault;
    if (ids && !(deviceId !== undefined && ids.has(deviceId))) return false;
    if (pattern && !(deviceId !== undefined && pattern.test(deviceId))) return false;
    if (spec.count !== undefined && fault.fired >= spec.count) return false;
    fault.occasions += 1;
    if (fault.occasions <= (spec.skip ?? 0)) return false;
    const met = deviceId === undefined ? 0 : (fault.met.get(deviceId) ?? 0);
    if (spec.transient !== undefined && met >= spec.transient) return false;
    if (spec.rate !== undefined && random() >= spec.rate) return false;
    if (spec.transient !== undefined && deviceId !== undefined) fault.met.set(deviceId, met + 1);
    fault.fired += 1;
    return true;
  };
  const first = (names: readonly string[], deviceId: string | undefined): FaultSpec | undefined =>
    active.find((fault) => names.includes(fault.spec.operation) && fires(fault, deviceId))?.spec;

  return {
    add: (value, operations) => {
      const spec = readSpec(value, operations);
      lastId += 1;
      const fault: ActiveFault = {
        id: lastId,
        spec,
        ids: spec.ids && new Set(spec.ids),
        pattern: spec.idPattern === undefined ? undefined : new RegExp(spec.idPattern),
        met: new Map(),
        occasions: 0,
        fired: 0,
      };
      active.push(fault);
      return listed(fault);
    },
    list: () => active.map(listed),
    remove: (id) => {
      const before = active.length;
      active = active.filter((fault) => fault.id !== id);
      return active.length < before;
    },
    clear: () => {
      active = [];
    },
    forRequest: (operation, deviceId) => {
      const spec = first([operation, '*'], deviceId);
      if (spec === undefined) return undefined;
      const refuses = spec.status !== undefined || spec.code !== undefined;
      return {
        when: spec.when ?? 'before',
        delayMs: spec.delayMs ?? 0,
        drop: spec.drop ?? false,
        error: refuses ? requestError(spec) : undefined,
      };
    },
    forItem: (kind, line) => {
      const spec = first([kind], line.deviceId);
      if (spec === undefined) return undefined;
      if (spec.code === undefined) return { effect: 'withoutTwin' };
      return { effect: spec.when ?? 'before', error: hubError(errorName(spec.code), spec.message) };
    },
    forJob: (kind) => {
      const spec = first([kind], undefined);
      if (spec === undefined) return undefined;
      const message = spec.message ?? 'The job failed because of an internal error.';
      return { outcome: spec.outcome ?? 'fail', afterLines: spec.afterLines ?? 0, message };
    },
  };
}

function readSpec(value: unknown, operations: ReadonlySet<string>): FaultSpec {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('A fault is a JSON object.');
  for (const [key, member] of Object.entries(value)) {
    const check = KEYS[key as keyof FaultSpec];
    if (check === undefined) throw new Error(`Unknown key '${key}'; known: ${Object.keys(KEYS).join(', ')}.`);
    if (!check(member)) throw new Error(`The value of '${key}' is not allowed: ${JSON.stringify(member)}.`);
  }
  const spec = value as FaultSpec;
  if (spec.operation === undefined) throw new Error("A fault needs 'operation'.");
  const known = operations.has(spec.operation) || SPECIAL.includes(spec.operation) || spec.operation === '*';
  if (!known) {
    throw new Error(`Unknown operation '${spec.operation}'; known: *, ${[...SPECIAL, ...operations].join(', ')}.`);
  }
  if (spec.code !== undefined) errorName(spec.code);
  if (spec.idPattern !== undefined) new RegExp(spec.idPattern);
  const { operation, outcome, code, status, withoutTwin } = spec;
  if (operation.endsWith('Job') && SPECIAL.includes(operation)) {
    if (outcome === undefined) throw new Error("A fault of a job needs 'outcome': fail, hang or noLog.");
  } else if ((operation === 'importLine' || operation === 'importConfiguration') && code === undefined) {
    throw new Error("A fault of import lines needs 'code'.");
  } else if (operation === 'bulkItem' && code === undefined && withoutTwin !== true) {
    throw new Error("A fault of bulk items needs 'code' or 'withoutTwin'.");
  } else if (!SPECIAL.includes(operation) && code === undefined && status === undefined) {
    if (spec.drop !== true && spec.delayMs === undefined) {
      throw new Error("A fault of an operation needs 'status', 'code', 'drop' or 'delayMs'.");
    }
  }
  return spec;
}

function errorName(code: string | number): ErrorName {
  const number = typeof code === 'number' ? code : Number(code);
  const name = Number.isNaN(number) ? code : errorNameOf(number);
  if (typeof name !== 'string' || !(name in ERROR_NUMBERS))
    throw new Error(`Unknown error code ${JSON.stringify(code)}.`);
  return name as ErrorName;
}

const USUAL_NAMES: Readonly<Record<number, ErrorName>> = {
  400: 'ArgumentInvalid',
  401: 'IotHubUnauthorizedAccess',
  403: 'IotHubQuotaExceeded',
  404: 'DeviceNotFound',
  409: 'DeviceAlreadyExists',
  412: 'PreconditionFailed',
  413: 'MessageTooLarge',
  429: 'ThrottlingBacklogTimeout',
  500: 'ServerError',
  503: 'ServiceUnavailable',
};

const USUAL_TEXTS: Partial<Record<ErrorName, string>> = {
  ThrottlingException: 'The request has been throttled. Wait 10 seconds and try again.',
  ThrottlingBacklogTimeout: 'The request has been throttled. Wait 10 seconds and try again.',
  ServerError: 'An internal error occurred.',
  ServiceUnavailable: 'The service is unavailable.',
  ServerBusy: 'The server is busy.',
};

function hubError(name: ErrorName, message: string | undefined): HubError {
  const headers: Record<string, string> = name.startsWith('Throttl') ? { Connection: 'close' } : {};
  return new HubError(name, message ?? USUAL_TEXTS[name] ?? `Injected fault ${name}.`, headers);
}

function requestError(spec: FaultSpec): HubError | PlainHttpError {
  const name = spec.code === undefined ? USUAL_NAMES[spec.status ?? 0] : errorName(spec.code);
  if (name === undefined) {
    return new PlainHttpError(spec.status ?? 500, 'GenericServerError', spec.message ?? 'Injected fault.');
  }
  const error = hubError(name, spec.message);
  if (spec.status === undefined || spec.status === error.status) return error;
  return new PlainHttpError(spec.status, error.code, error.message);
}
