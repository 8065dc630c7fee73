import { isDeepStrictEqual } from 'node:util';

import { importModeOf, MODE_RULES } from '../devicesFile/importMode.ts';
import { isObject } from '../devicesFile/keyNames.ts';
import { primaryKeyOf } from './primaryKey.ts';
import type { RegistryLine } from './registryLine.ts';

/** A line of a devices file, parsed. Holds keys. */
export interface WantedLine {
  readonly id: string;
  readonly moduleId?: string;
  readonly importMode?: string;
  readonly [key: string]: unknown;
}

/**
 * How far the registry is as a line asks for: in all; in all, with more in sections of the twin that the line gives; in its
 * identity, with nothing at all in its twin; in its twin alone; or not.
 *
 * More is what a hub leaves that merges where it should overwrite. An identity with an empty twin may be one that the line
 * made, of which the hub has said nothing more.
 */
export type Agreement = 'all' | 'more' | 'identity' | 'twin' | 'none';

/**
 * Whether the registry is as a line of a devices file asks for (for a delete: the identity is not there). What the line
 * leaves out does not matter, nor do the scopes, which a hub makes itself. A section of the twin that the line gives is
 * equal to that of the registry; one that is merged (`updateTwin`) would change nothing there.
 *
 * @param line as it was sent; with `keyBefore`: new keys were asked for, and this was the key before; with `statusKept`: the
 *   device was to keep its status
 * @param found the identity as an export writes it; undefined when it does not exist
 */
export function agreement(line: WantedLine, found: RegistryLine | undefined): Agreement {
  const { deletes, patches, writesIdentity } = MODE_RULES[importModeOf(line)];
  if (deletes) return found === undefined ? 'all' : 'none';
  if (found === undefined) return 'none';
  const twin = twinAgreement(line, found, patches);
  if (writesIdentity && !identityAgrees(line, found)) return twin === 'all' && givesTwin(line) ? 'twin' : 'none';
  if (twin !== 'none') return twin;
  return hasEmptyTwin(found) ? 'identity' : 'none';
}

function identityAgrees(line: WantedLine, found: RegistryLine): boolean {
  const isDevice = line.moduleId === undefined;
  return (
    (line['keyBefore'] === undefined || hasNewKey(line['keyBefore'], found)) &&
    // Modules have no status of their own, whatever an export says.
    (!isDevice || line['statusKept'] === true || sameWord(line['status'] ?? 'enabled', found['status'])) &&
    (!isDevice || !given(line['statusReason']) || line['statusReason'] === (found['statusReason'] ?? '')) &&
    (!isDevice || !given(line['capabilities']) || isEdge(line) === isEdge(found)) &&
    authenticationAgrees(objectAt(line, 'authentication'), objectAt(found, 'authentication'))
  );
}

function hasNewKey(keyBefore: unknown, found: RegistryLine): boolean {
  const key = primaryKeyOf(found);
  return key !== undefined && key !== keyBefore;
}

function authenticationAgrees(wanted: Fields | undefined, found: Fields | undefined): boolean {
  if (wanted === undefined) return true;
  if (given(wanted['type']) && !sameWord(wanted['type'], found?.['type'])) return false;
  const pairs = [
    ['symmetricKey', ['primaryKey', 'secondaryKey']],
    ['x509Thumbprint', ['primaryThumbprint', 'secondaryThumbprint']],
  ] as const;
  return pairs.every(([group, names]) => {
    const asked = objectAt(wanted, group);
    const there = objectAt(found ?? {}, group);
    // Keys are told apart by case; the hexadecimal digits of thumbprints are not.
    const same = group === 'symmetricKey' ? Object.is : sameWord;
    return names.every((name) => !given(asked?.[name]) || same(asked?.[name], there?.[name]));
  });
}

function twinAgreement(line: WantedLine, found: RegistryLine, isPatch: boolean): 'all' | 'more' | 'none' {
  const sections = [
    [line['tags'], found['tags']],
    [objectAt(line, 'properties')?.['desired'], objectAt(found, 'properties')?.['desired']],
  ].filter(([wanted]) => given(wanted));
  if (!sections.every(([wanted, there]) => mergesToItself(there ?? {}, wanted))) return 'none';
  const isEqual = ([wanted, there]: readonly unknown[]) => sectionsAgree(wanted, there);
  return isPatch || sections.every(isEqual) ? 'all' : 'more';
}

/** Whether two sections of a twin, tags or desired properties, come to the same once they are written. */
export function sectionsAgree(wanted: unknown, there: unknown): boolean {
  return isDeepStrictEqual(written(there ?? {}, true), written(wanted ?? {}, true));
}

function givesTwin(line: WantedLine): boolean {
  return given(line['tags']) || given(objectAt(line, 'properties')?.['desired']);
}

function hasEmptyTwin(found: RegistryLine): boolean {
  const isEmpty = (section: unknown) => Object.keys(section ?? {}).length === 0;
  return isEmpty(found['tags']) && isEmpty(objectAt(found, 'properties')?.['desired']);
}

type Fields = Readonly<Record<string, unknown>>;

/** Whether a merge patch (RFC 7396) would change nothing. */
function mergesToItself(there: unknown, patch: unknown): boolean {
  if (patch === null) return there === undefined;
  // Nothing is there: fine as long as nothing is wanted but that.
  if (!isObject(patch)) return isDeepStrictEqual(there, patch);
  if (!isObject(there))
    return there === undefined && Object.values(patch).every((value) => mergesToItself(there, value));
  return Object.entries(patch).every(([key, value]) => isHubKey(key) || mergesToItself(there[key], value));
}

/** A section as it is once it is written: null stands for what is not there, and so does an object without anything. */
function written(section: unknown, isWhole = false): unknown {
  if (!isObject(section)) return section;
  const members = new Map<string, unknown>();
  for (const [key, value] of Object.entries(section)) {
    if (value === null || (isWhole && isHubKey(key))) continue;
    const inner = written(value);
    if (!(inner instanceof Map) || inner.size > 0) members.set(key, inner);
  }
  return members;
}

function isHubKey(key: string): boolean {
  return key === '$metadata' || key === '$version';
}

function isEdge(line: Fields): boolean {
  return objectAt(line, 'capabilities')?.['iotEdge'] === true;
}

function objectAt(value: Fields, key: string): Fields | undefined {
  const inner = value[key];
  return typeof inner === 'object' && inner !== null ? (inner as Fields) : undefined;
}

function given(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function sameWord(a: unknown, b: unknown): boolean {
  return String(a).toLowerCase() === String(b).toLowerCase();
}
