/** One identity as two lines have it: what differs, as names of fields. */

import { HUB_KEYS } from '../devicesFile/lineText.ts';
import { type ComparedAuthentication, type ComparedLine, comparedLine, orNothing, SECRETS } from './comparedLine.ts';
import { addDifferences, type Fields, isObject, isSame, pathOf } from './differences.ts';
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
 * the id of the parent), reported properties, and what a module has none of (its status).
 *
 * @throws SyntaxError for what is no JSON; its message quotes the line
 */
export function compareIdentity(before: ComparedText, after: ComparedText): IdentityDifference {
  const parse = mayBeRounded(before.text) || mayBeRounded(after.text) ? parseAsWritten : JSON.parse;
  const from = comparedLine(parse(before.text) as Fields);
  const to = comparedLine(parse(after.text) as Fields);
  const fields: string[] = [];
  if (from.status !== to.status) fields.push('status');
  if (!isSame(from.statusReason, to.statusReason)) fields.push('statusReason');
  const keysUnknown = compareAuthentication(
    { ...before, authentication: from.authentication },
    { ...after, authentication: to.authentication },
    fields,
  );
  compareSections(from.tags, to.tags, ['tags'], fields);
  compareSections(from.desired, to.desired, ['properties', 'desired'], fields);
  compareSections(from.capabilities, to.capabilities, ['capabilities'], fields);
  if (from.parent !== to.parent) fields.push('parent');
  if (managedDiffers(from, to)) fields.push('managedBy');
  compareSections(from.others ?? {}, to.others ?? {}, [], fields);
  return { fields: [...new Set(fields)], keysUnknown };
}

/** A line that does not name it says nothing. */
function managedDiffers({ managedBy: from }: ComparedLine, { managedBy: to }: ComparedLine): boolean {
  return from !== undefined && to !== undefined && !isSame(orNothing(from), orNothing(to));
}

const HUB_MADE: ReadonlySet<string> = new Set(HUB_KEYS);

function compareSections(from: unknown, to: unknown, parts: readonly string[], fields: string[]): void {
  if (!isObject(from) || !isObject(to)) {
    if (!isSame(from, to)) fields.push(pathOf(parts));
    return;
  }
  const paths: string[] = [];
  addDifferences(from, to, parts, paths, HUB_MADE);
  if (paths.length > 0) fields.push(...paths.sort());
}

interface OneSide {
  readonly keys: SnapshotKeys;
  readonly authentication: ComparedAuthentication | undefined;
}

/** @returns whether keys or thumbprints of one side are not known */
function compareAuthentication(before: OneSide, after: OneSide, fields: string[]): boolean {
  const [from, to] = [before.authentication, after.authentication];
  if (from === undefined || to === undefined) return [from, to].some((one) => one?.secrets.some(isKnown));
  if (from.type !== undefined && to.type !== undefined && from.type !== to.type) fields.push('authentication.type');
  let unknown = false;
  for (const group of ['symmetricKey', 'x509Thumbprint'] as const) {
    if (lacks(before, group) || lacks(after, group)) {
      unknown ||= [from, to].some((one) =>
        one.secrets.some((secret, at) => SECRETS[at]?.group === group && isKnown(secret)),
      );
      continue;
    }
    SECRETS.forEach((secret, at) => {
      if (secret.group !== group || isSame(from.secrets[at], to.secrets[at])) return;
      fields.push(`authentication.${group}.${secret.name}`);
    });
  }
  return unknown;
}

/** Whether both of a pair are missing although there must be some, or without their side telling that there are none. */
function lacks({ keys, authentication }: OneSide, group: (typeof SECRETS)[number]['group']): boolean {
  const { type, secrets = [] } = authentication ?? {};
  if (secrets.some((secret, at) => SECRETS[at]?.group === group && isKnown(secret))) return false;
  // A hub always has symmetric keys for this type.
  return keys === 'excluded' || (group === 'symmetricKey' && (type === undefined || type === 'sas'));
}

function isKnown(secret: unknown): boolean {
  return secret !== undefined;
}
