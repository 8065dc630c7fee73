/** One identity as two lines have it: what differs, as names of fields. */

import { deviceOfScope } from '../devicesFile/edgeParents.ts';
import { HUB_KEYS } from '../devicesFile/lineText.ts';
import { addDifferences, type Fields, hasMembers, isAbsent, isObject, isSame, pathOf } from './differences.ts';
import { mayBeRounded, parseAsWritten } from './exactJson.ts';
import type { SnapshotKeys } from './snapshot.ts';

/** A line of an identity, and what is known of its side. */
export interface ComparedText {
  readonly text: string;
  readonly keys: SnapshotKeys;
}

export interface IdentityDifference {
  /** Names of all fields that differ, such as `tags.site`; never values. */
  readonly fields: readonly string[];
  /** One side lacks keys or thumbprints that the other has, and nothing says that there are none. */
  readonly keysUnknown: boolean;
}

/**
 * What differs between two lines of one identity, compared as JSON: order of keys and spelling of numbers do not count.
 *
 * Not compared: what a hub counts, dates or makes itself (ETags, generation, times, connection, scopes as text: of these
 * the id of the parent), reported properties, and what a module has none of (its status). Keys of lines are read without
 * regard to case, as a hub reads them.
 *
 * @throws SyntaxError for what is no JSON; its message quotes the line
 */
export function compareIdentity(before: ComparedText, after: ComparedText): IdentityDifference {
  const parse = mayBeRounded(before.text) || mayBeRounded(after.text) ? parseAsWritten : JSON.parse;
  const from = readLine(parse(before.text) as Fields);
  const to = readLine(parse(after.text) as Fields);
  const fields: string[] = [];
  if (!from.isModule) {
    if (word(from.status ?? 'enabled') !== word(to.status ?? 'enabled')) fields.push('status');
    if (!isSame(orNothing(from.statusReason), orNothing(to.statusReason))) fields.push('statusReason');
  }
  const keysUnknown = compareAuthentication(
    { value: from.authentication, keys: before.keys },
    { value: to.authentication, keys: after.keys },
    fields,
  );
  compareSections(from.tags, to.tags, ['tags'], fields);
  compareSections(desiredOf(from.properties), desiredOf(to.properties), ['properties', 'desired'], fields);
  compareSections(flagsOf(from.capabilities), flagsOf(to.capabilities), ['capabilities'], fields);
  if (parentOf(from) !== parentOf(to)) fields.push('parent');
  // No part of the format: a line that does not name it says nothing.
  if (from.managedBy !== undefined && to.managedBy !== undefined) {
    if (!isSame(orNothing(from.managedBy), orNothing(to.managedBy))) fields.push('managedBy');
  }
  compareOthers(from.others, to.others, fields);
  return { fields, keysUnknown };
}

/** The members of a line that are compared, each in a way of its own. */
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

type Line = { -readonly [Name in (typeof COMPARED)[number]]?: unknown } & {
  id?: unknown;
  isModule: boolean;
  /** Those that the format does not have (yet). */
  others: Record<string, unknown> | undefined;
};

/** In lower case: names the identity, says what to do with it, or is counted, dated or made by the hub. */
const IGNORED: ReadonlySet<string> = new Set([
  'id',
  'moduleid',
  'deviceid',
  'importmode',
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

const COMPARED_NAMES: ReadonlyMap<string, keyof Line> = new Map(
  COMPARED.flatMap((name) => [
    [name, name],
    [name.toLowerCase(), name],
  ]),
);

function readLine(parsed: Fields): Line {
  const line: Line = { isModule: false, others: undefined };
  for (const key in parsed) {
    const value = parsed[key];
    const lower = key.toLowerCase();
    const name = COMPARED_NAMES.get(key) ?? COMPARED_NAMES.get(lower);
    if (name !== undefined) line[name as (typeof COMPARED)[number]] = value;
    else if (lower === 'id') line.id = value;
    else if (lower === 'moduleid') line.isModule = orNothing(value) !== undefined;
    else if (!IGNORED.has(lower)) {
      line.others ??= Object.create(null) as Record<string, unknown>;
      line.others[key] = value;
    }
  }
  return line;
}

function compareOthers(before: Fields | undefined, after: Fields | undefined, fields: string[]): void {
  if (before === undefined && after === undefined) return;
  const paths: string[] = [];
  addDifferences(withoutEmpty(before), withoutEmpty(after), [], paths);
  fields.push(...paths.sort());
}

function withoutEmpty(fields: Fields = {}): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => orNothing(value) !== undefined));
}

const HUB_MADE: ReadonlySet<string> = new Set(HUB_KEYS);

/** Sections of which nothing, null, "" and {} are the same. */
function compareSections(before: unknown, after: unknown, parts: readonly string[], fields: string[]): void {
  const from = orNothing(before) ?? {};
  const to = orNothing(after) ?? {};
  if (!isObject(from) || !isObject(to)) {
    if (!isSame(from, to)) fields.push(pathOf(parts));
    return;
  }
  const paths: string[] = [];
  addDifferences(from, to, parts, paths, HUB_MADE);
  if (paths.length > 0) fields.push(...paths.sort());
}

function desiredOf(properties: unknown): unknown {
  return isObject(properties) ? memberOf(properties, 'desired') : undefined;
}

/** Capabilities are flags: one that is not set need not be there. */
function flagsOf(capabilities: unknown): unknown {
  if (!isObject(capabilities)) return capabilities;
  const set: Record<string, unknown> = {};
  for (const key in capabilities) {
    const value = capabilities[key];
    if (value !== false) set[key.toLowerCase() === 'iotedge' ? 'iotEdge' : key] = value;
  }
  return set;
}

/**
 * Device ids of the parents that a line names; a scope that no hub makes stands for itself. The scope of a leaf is that of
 * its parent, the `deviceScope` of an edge device its own.
 */
function parentOf({ id, parent, deviceScope, parentScopes, capabilities }: Line): string {
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
  return [...parents].sort().join('\n');
}

interface Authentication {
  readonly value: unknown;
  readonly keys: SnapshotKeys;
}

const SECRETS = [
  ['symmetricKey', ['primaryKey', 'secondaryKey']],
  ['x509Thumbprint', ['primaryThumbprint', 'secondaryThumbprint']],
] as const;

/** @returns whether keys or thumbprints of one side are not known */
function compareAuthentication(before: Authentication, after: Authentication, fields: string[]): boolean {
  const [from, to] = [objectOf(before.value), objectOf(after.value)];
  // Nothing is said: every identity of a hub has an authentication.
  if (from === undefined || to === undefined) return from !== to && (hasSecret(from) || hasSecret(to));
  const [typeBefore, typeAfter] = [typeOf(from), typeOf(to)];
  const isKnown = typeBefore !== undefined && typeAfter !== undefined;
  if (isKnown && typeBefore !== typeAfter) fields.push('authentication.type');
  let unknown = false;
  for (const [group, names] of SECRETS) {
    const one = secretsOf(from, group, names);
    const other = secretsOf(to, group, names);
    const lacks = (secrets: readonly unknown[], type: string | undefined, { keys }: Authentication): boolean =>
      secrets.every((secret) => secret === undefined) && (keys === 'excluded' || mustHave(group, type));
    const [lacksBefore, lacksAfter] = [lacks(one, typeBefore, before), lacks(other, typeAfter, after)];
    if (lacksBefore || lacksAfter) {
      unknown ||= [...one, ...other].some((secret) => secret !== undefined);
      continue;
    }
    names.forEach((name, index) => {
      if (!isSame(one[index], other[index])) fields.push(`authentication.${group}.${name}`);
    });
  }
  return unknown;
}

/** Of symmetric keys: a hub always has them for this type. */
function mustHave(group: string, type: string | undefined): boolean {
  return group === 'symmetricKey' && (type === undefined || type === 'sas');
}

function hasSecret(authentication: Fields | undefined): boolean {
  return (
    authentication !== undefined &&
    SECRETS.some(([group, names]) => secretsOf(authentication, group, names).some((secret) => secret !== undefined))
  );
}

function secretsOf(authentication: Fields, group: string, names: readonly string[]): readonly unknown[] {
  const pair = memberOf(authentication, group);
  return names.map((name) => {
    const value = isObject(pair) ? orNothing(memberOf(pair, name)) : undefined;
    // Hexadecimal digits are the same in both cases; keys are not.
    return group === 'x509Thumbprint' && typeof value === 'string' ? value.toLowerCase() : value;
  });
}

/** In lower case; what a line without a type holds tells. */
function typeOf(authentication: Fields): string | undefined {
  const type = orNothing(memberOf(authentication, 'type'));
  if (type !== undefined) return word(type);
  const [keys, thumbprints] = SECRETS.map(([group, names]) =>
    secretsOf(authentication, group, names).some((secret) => secret !== undefined),
  );
  if (keys === true) return 'sas';
  return thumbprints === true ? 'selfsigned' : undefined;
}

function objectOf(value: unknown): Fields | undefined {
  return isObject(value) && hasMembers(value) ? value : undefined;
}

/** A member of an object of the format, whatever case its key is written in. */
function memberOf(fields: Fields, name: string): unknown {
  if (Object.hasOwn(fields, name)) return fields[name];
  const lower = name.toLowerCase();
  for (const key in fields) if (key.length === name.length && key.toLowerCase() === lower) return fields[key];
  return undefined;
}

/** Undefined for all that stands for nothing. */
function orNothing(value: unknown): unknown {
  if (isAbsent(value) || value === '') return undefined;
  return isObject(value) && !hasMembers(value) ? undefined : value;
}

function word(value: unknown): string {
  return String(value).toLowerCase();
}
