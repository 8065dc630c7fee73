/** What is asked of a plan, a restore, a drill or a delete-all: read from whatever was sent, and from records. */

import type { RegistryClient } from '../registry/index.ts';
import { isObject } from '../runs/recordShape.ts';
import type { WorkRun } from '../work/workRun.ts';
import { RESTORE_MODES, type RestoreMode } from './restoreMode.ts';
import { RestoreRefused, restoreRefused, sayRestore } from './restoreTexts.ts';

export interface PlanRequest {
  /** A name, `HUB/latest` or `latest`; in a record always the name. */
  readonly backup: string;
  /** Default: exact, which shows all differences. */
  readonly mode?: RestoreMode;
  /** Device ids, or how they begin: `dev-*`. */
  readonly only?: readonly string[];
  /** Alias of the hub that it is compared with; default: that of the backup. */
  readonly to?: string;
  readonly acceptCountMismatch?: boolean;
}

export interface RestoreRequest extends PlanRequest {
  readonly mode: RestoreMode;
  /** Name of the hub that is written to. */
  readonly confirm?: string;
  /** Devices that the backup has no keys of get new ones. */
  readonly newKeys?: boolean;
  /** The hub is compared with the backup in the end. */
  readonly check?: boolean;
}

export interface DrillRequest extends Omit<PlanRequest, 'mode' | 'only'> {
  readonly to: string;
  readonly newKeys?: boolean;
}

export interface DeleteAllRequest {
  /** Alias. Default: the only one. */
  readonly hub?: string;
  readonly confirm?: string;
  /** Only devices whose id begins so. */
  readonly prefix?: string;
  /** Configurations, too. */
  readonly configurations?: boolean;
  readonly acceptCountMismatch?: boolean;
}

type Kind = 'text' | 'flag' | 'mode' | 'names';

const PLAN_MEMBERS = { backup: 'text', mode: 'mode', only: 'names', to: 'text', acceptCountMismatch: 'flag' } as const;
const RESTORE_MEMBERS = { ...PLAN_MEMBERS, confirm: 'text', newKeys: 'flag', check: 'flag' } as const;
const DRILL_MEMBERS = { backup: 'text', to: 'text', newKeys: 'flag', acceptCountMismatch: 'flag' } as const;
const DELETE_MEMBERS = {
  hub: 'text',
  confirm: 'text',
  prefix: 'text',
  configurations: 'flag',
  acceptCountMismatch: 'flag',
} as const;

/** @throws RestoreRefused */
export function parsePlanRequest(body: unknown): PlanRequest {
  return read<PlanRequest>(body, PLAN_MEMBERS, ['backup']);
}

/** @throws RestoreRefused */
export function parseRestoreRequest(body: unknown): RestoreRequest {
  return read<RestoreRequest>(body, RESTORE_MEMBERS, ['backup', 'mode']);
}

/** @throws RestoreRefused */
export function parseDrillRequest(body: unknown): DrillRequest {
  return read<DrillRequest>(body, DRILL_MEMBERS, ['backup', 'to']);
}

/** @throws RestoreRefused */
export function parseDeleteAllRequest(body: unknown): DeleteAllRequest {
  const request = read<DeleteAllRequest>(body, DELETE_MEMBERS, []);
  if (request.prefix === '') throw invalid('"prefix" is empty, which would be all devices: leave it out for that');
  return request;
}

function read<Request>(body: unknown, members: Readonly<Record<string, Kind>>, required: readonly string[]): Request {
  if (!isObject(body)) throw invalid('its body is no JSON object');
  for (const [name, value] of Object.entries(body)) {
    const kind = members[name];
    // What it is called may be anything, even a key by mistake.
    if (kind === undefined) throw invalid(`it has a member that is none of ${Object.keys(members).join(', ')}`);
    const problem = problemOf(kind, value);
    if (problem !== undefined) throw invalid(`"${name}" must be ${problem}`);
  }
  const missing = required.find((name) => body[name] === undefined);
  if (missing !== undefined) throw invalid(`"${missing}" is missing`);
  return body as unknown as Request;
}

function problemOf(kind: Kind, value: unknown): string | undefined {
  const isText = typeof value === 'string' && value.length <= 1_024;
  switch (kind) {
    case 'text':
      return isText ? undefined : 'a text';
    case 'flag':
      return typeof value === 'boolean' ? undefined : 'true or false';
    case 'mode':
      return RESTORE_MODES.some((mode) => mode === value) ? undefined : `one of ${RESTORE_MODES.join(', ')}`;
    case 'names': {
      const isNames =
        Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string' && name !== '');
      return isNames ? undefined : 'a list of device ids, or of beginnings such as "dev-*"';
    }
  }
}

function invalid(problem: string): RestoreRefused {
  return restoreRefused('requestInvalid', { problem });
}

/** What a record of such a run was asked for. */
export function requestOf<Request>({ request }: Pick<WorkRun, 'request'>): Request {
  return request as unknown as Request;
}

/** @throws RestoreRefused when the hub is not confirmed by its name */
export function demandConfirmed({ hubName: hub }: Pick<RegistryClient, 'hubName'>, confirm: string | undefined): void {
  if (confirm?.toLowerCase() === hub.toLowerCase()) return;
  const given = confirm === undefined ? '' : ' The name given is another.';
  throw new RestoreRefused({ ...sayRestore('notConfirmed', { hub, given }), confirm: hub });
}

/**
 * The alias of a hub that was asked for.
 *
 * @throws RestoreRefused when it is not configured, or there are several and none is named
 */
export function demandHub(hubs: ReadonlyMap<string, string>, asked: string | undefined): string {
  const all = [...hubs.keys()].sort();
  const alias = asked?.toLowerCase() ?? (all.length === 1 ? all[0] : undefined);
  if (alias === undefined) throw invalid(`the app has several hubs (${all.join(', ')}), and none is named`);
  if (!hubs.has(alias)) {
    const known = /^[a-z0-9]{1,64}$/.test(alias) ? alias : '…';
    throw restoreRefused('hubUnknown', { alias: known, hubs: all.join(', ') });
  }
  return alias;
}
