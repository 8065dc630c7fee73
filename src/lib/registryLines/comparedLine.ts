/** A line of an identity as it is compared: what does not count is left out, and what is the same looks the same. */

import { deviceOfScope } from '../devicesFile/edgeParents.ts';
import { type Fields, hasMembers, isAbsent, isObject } from './differences.ts';

export interface ComparedLine {
  readonly isModule: boolean;
  /** In lower case. A module has none, whatever an export says. */
  readonly status: string | undefined;
  readonly statusReason: unknown;
  /** Undefined: the line says nothing of it; every identity of a hub has one. */
  readonly authentication: ComparedAuthentication | undefined;
  /** Nearly always objects, without members where the line has none. */
  readonly tags: unknown;
  readonly desired: unknown;
  readonly capabilities: unknown;
  /** Device ids of the parents, sorted, one a line. */
  readonly parent: string;
  /** No part of the format: undefined where the line does not name it. */
  readonly managedBy: unknown;
  /** What the format does not have (yet). */
  readonly others: Fields | undefined;
}

export interface ComparedAuthentication {
  /** In lower case; undefined where nothing tells it. */
  readonly type: string | undefined;
  /** In the order of `SECRETS`; undefined for one that is not there. */
  readonly secrets: readonly unknown[];
}

/** Names of keys and thumbprints, in pairs. */
export const SECRETS = [
  { group: 'symmetricKey', name: 'primaryKey' },
  { group: 'symmetricKey', name: 'secondaryKey' },
  { group: 'x509Thumbprint', name: 'primaryThumbprint' },
  { group: 'x509Thumbprint', name: 'secondaryThumbprint' },
] as const;

const COMPARED = [
  'status',
  'statusReason',
  'authentication',
  'tags',
  'properties',
  'capabilities',
  'deviceScope',
  'parentScopes',
  'parent',
  'managedBy',
] as const;

/** In lower case: names the identity, says what to do with it, or is counted, dated or made by the hub. */
const IGNORED: ReadonlySet<string> = new Set([
  'importmode',
  'deviceid',
  'etag',
  'twinetag',
  'deviceetag',
  'version',
  'generationid',
  'connectionstate',
  'connectionstateupdatedtime',
  'lastactivitytime',
  'statusupdatedtime',
  'statusupdatetime',
  'createdtime',
  'createdtimeutc',
  'lastupdatedtime',
  'lastupdatedtimeutc',
  'cloudtodevicemessagecount',
]);

/** The members of a line as they are written, by the names of the format. */
type Members = { [Name in 'id' | 'moduleId' | (typeof COMPARED)[number]]?: unknown } & {
  others?: Record<string, unknown>;
};

/** What is to be done with a member, by its name in lower case. */
const NAMES: ReadonlyMap<string, Exclude<keyof Members, 'others'>> = new Map(
  (['id', 'moduleId', ...COMPARED] as const).map((name) => [name.toLowerCase(), name]),
);

/** @param parsed a line; its keys are read without regard to case, as a hub reads them */
export function comparedLine(parsed: Fields): ComparedLine {
  const members = membersOf(parsed);
  const isModule = orNothing(members.moduleId) !== undefined;
  return {
    isModule,
    status: isModule ? undefined : word(members.status ?? 'enabled'),
    statusReason: isModule ? undefined : orNothing(members.statusReason),
    authentication: authenticationOf(members.authentication),
    tags: sectionOf(members.tags),
    desired: sectionOf(isObject(members.properties) ? memberOf(members.properties, 'desired') : undefined),
    capabilities: flagsOf(members.capabilities),
    parent: parentOf(members),
    managedBy: members.managedBy,
    others: members.others,
  };
}

function membersOf(parsed: Fields): Members {
  const members: Members = {};
  for (const key in parsed) {
    const value = parsed[key];
    const lower = key.toLowerCase();
    const name = NAMES.get(lower);
    if (name !== undefined) members[name] = value;
    else if (!IGNORED.has(lower) && orNothing(value) !== undefined) {
      members.others ??= Object.create(null) as Record<string, unknown>;
      members.others[key] = value;
    }
  }
  return members;
}

const NOTHING: Fields = Object.freeze({});

function sectionOf(value: unknown): unknown {
  return orNothing(value) ?? NOTHING;
}

/** Capabilities are flags: one that is not set need not be there. */
function flagsOf(capabilities: unknown): unknown {
  if (!isObject(capabilities)) return sectionOf(capabilities);
  let set: Record<string, unknown> | undefined;
  for (const key in capabilities) {
    const value = capabilities[key];
    if (value === false) continue;
    set ??= Object.create(null) as Record<string, unknown>;
    set[key.toLowerCase() === 'iotedge' ? 'iotEdge' : key] = value;
  }
  return set ?? NOTHING;
}

/**
 * Device ids of the parents that a line names; a scope that no hub makes stands for itself. The scope of a leaf is that of
 * its parent, the `deviceScope` of an edge device its own.
 */
function parentOf({ id, parent, deviceScope, parentScopes, capabilities }: Members): string {
  if (deviceScope === undefined && parentScopes === undefined && parent === undefined) return '';
  const parents = new Set<string>();
  const add = (scope: unknown): void => {
    if (typeof scope === 'string' && scope !== '') parents.add(deviceOfScope(scope) ?? scope);
  };
  if (typeof parent === 'string' && parent !== '') parents.add(parent);
  const isEdge = isObject(capabilities) && memberOf(capabilities, 'iotEdge') === true;
  const isOwn = typeof deviceScope === 'string' && (deviceOfScope(deviceScope) ?? (isEdge ? id : undefined)) === id;
  if (!isOwn) add(deviceScope);
  if (Array.isArray(parentScopes)) for (const scope of parentScopes) add(scope);
  return parents.size < 2 ? ([...parents][0] ?? '') : [...parents].sort().join('\n');
}

function authenticationOf(value: unknown): ComparedAuthentication | undefined {
  if (!isObject(value) || !hasMembers(value)) return undefined;
  const [keys, thumbprints] = [memberOf(value, 'symmetricKey'), memberOf(value, 'x509Thumbprint')];
  const secrets = SECRETS.map(({ group, name }) => {
    const pair = group === 'symmetricKey' ? keys : thumbprints;
    const secret = isObject(pair) ? orNothing(memberOf(pair, name)) : undefined;
    // Hexadecimal digits are the same in both cases; keys are not.
    return group === 'x509Thumbprint' && typeof secret === 'string' ? secret.toLowerCase() : secret;
  });
  const type = orNothing(memberOf(value, 'type'));
  return { type: type === undefined ? typeBySecrets(secrets) : word(type), secrets };
}

/** Of a line without a type, what it holds tells. */
function typeBySecrets([primaryKey, secondaryKey, primaryThumbprint, secondaryThumbprint]: readonly unknown[]) {
  if ((primaryKey ?? secondaryKey) !== undefined) return 'sas';
  return (primaryThumbprint ?? secondaryThumbprint) === undefined ? undefined : 'selfsigned';
}

/** A member of an object of the format, whatever case its key is written in. */
function memberOf(fields: Fields, name: string): unknown {
  if (Object.hasOwn(fields, name)) return fields[name];
  const lower = name.toLowerCase();
  for (const key in fields) if (key.length === name.length && key.toLowerCase() === lower) return fields[key];
  return undefined;
}

/** Undefined for all that stands for nothing. */
export function orNothing(value: unknown): unknown {
  if (isAbsent(value) || value === '') return undefined;
  return isObject(value) && !hasMembers(value) ? undefined : value;
}

function word(value: unknown): string {
  return String(value).toLowerCase();
}
