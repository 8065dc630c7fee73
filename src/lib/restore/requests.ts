/** What is asked of a plan, a restore, a drill or a delete-all: read from whatever was sent. */

import { isText } from '../runs/recordShape.ts';
import {
  countMember,
  flagMember,
  invalidRequest,
  type RequestMember,
  readRequest,
  textMember,
} from '../work/request.ts';
import { RESTORE_MODES, type RestoreMode } from './restoreMode.ts';
import { restoreRefused } from './restoreTexts.ts';

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
  /** Nothing is done if it would delete more than that: as many as the plan that was confirmed. */
  readonly mostDeletes?: number;
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

const modeMember: RequestMember = (value) =>
  RESTORE_MODES.some((mode) => mode === value) ? undefined : `one of ${RESTORE_MODES.join(', ')}`;

const namesMember: RequestMember = (value) => {
  const isNames = Array.isArray(value) && value.length > 0 && value.every((name) => name !== '' && isText(name));
  return isNames ? undefined : 'a list of device ids, or of beginnings such as "dev-*"';
};

const PLAN_MEMBERS = {
  backup: textMember,
  mode: modeMember,
  only: namesMember,
  to: textMember,
  acceptCountMismatch: flagMember,
};
const RESTORE_MEMBERS = {
  ...PLAN_MEMBERS,
  confirm: textMember,
  newKeys: flagMember,
  mostDeletes: countMember,
  check: flagMember,
};
const DRILL_MEMBERS = { backup: textMember, to: textMember, newKeys: flagMember, acceptCountMismatch: flagMember };
const DELETE_MEMBERS = {
  hub: textMember,
  confirm: textMember,
  prefix: textMember,
  configurations: flagMember,
  acceptCountMismatch: flagMember,
};

/** @throws WorkRefused */
export function parsePlanRequest(body: unknown): PlanRequest {
  return readRequest<PlanRequest>(body, PLAN_MEMBERS, ['backup']);
}

/** @throws WorkRefused */
export function parseRestoreRequest(body: unknown): RestoreRequest {
  return readRequest<RestoreRequest>(body, RESTORE_MEMBERS, ['backup', 'mode']);
}

/** @throws WorkRefused */
export function parseDrillRequest(body: unknown): DrillRequest {
  return readRequest<DrillRequest>(body, DRILL_MEMBERS, ['backup', 'to']);
}

/** @throws WorkRefused */
export function parseDeleteAllRequest(body: unknown): DeleteAllRequest {
  const request = readRequest<DeleteAllRequest>(body, DELETE_MEMBERS, []);
  if (request.prefix === '')
    throw invalidRequest('"prefix" is empty, which would be all devices: leave it out for that');
  return request;
}

/**
 * The alias of a hub that was asked for.
 *
 * @throws WorkRefused when it is not configured, or there are several and none is named
 */
export function demandHub(hubs: ReadonlyMap<string, string>, asked: string | undefined): string {
  const all = [...hubs.keys()].sort();
  const alias = asked?.toLowerCase() ?? (all.length === 1 ? all[0] : undefined);
  if (alias === undefined) throw invalidRequest(`the app has several hubs (${all.join(', ')}), and none is named`);
  if (!hubs.has(alias)) {
    const known = /^[a-z0-9]{1,64}$/.test(alias) ? alias : '…';
    throw restoreRefused('hubUnknown', { alias: known, hubs: all.join(', ') });
  }
  return alias;
}
