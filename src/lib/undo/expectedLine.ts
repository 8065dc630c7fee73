/** What a run must have left of an identity, if nobody else has touched it: its pre-image with the line of the run over it. */

import { MODE_RULES } from '../devicesFile/importMode.ts';
import type { SnapshotKeys } from '../registryLines/snapshot.ts';
import { mergedTwin, twinOf, wholeTwin, withTwin } from '../registryLines/twinText.ts';
import type { EffectLine } from '../runs/runEffects.ts';
import { isObjectText, memberMap, objectText } from '../textFile/jsonMembers.ts';

/** A line of an identity; with `excluded` the hub has made the keys, and nobody knows them. */
export interface ExpectedLine {
  readonly text: string;
  readonly keys: SnapshotKeys;
}

export type AppliedLine = Pick<EffectLine, 'mode' | 'text' | 'parent'>;

/**
 * @param before a line of the registry; undefined: the identity was not there
 * @returns undefined: it is not there
 */
export function expectedLine(before: string | undefined, line: AppliedLine): ExpectedLine | undefined {
  const { deletes, merges, mayCreate } = MODE_RULES[line.mode];
  if (deletes || (before === undefined && !mayCreate)) return undefined;
  const there = memberMap(before ?? '{}');
  const given = memberMap(line.text);
  if (merges) {
    return { text: objectText(withTwin(there, mergedTwin(twinOf(there), twinOf(given)))), keys: 'included' };
  }
  const members = withTwin(there, wholeTwin(twinOf(given)));
  for (const key of ['id', 'moduleId', 'status', 'statusReason', 'capabilities']) {
    const value = given.get(key);
    if (value !== undefined && value !== 'null') members.set(key, value);
  }
  // No part of the format: an import may clear it.
  members.delete('managedBy');
  if (line.parent !== undefined) {
    members.delete('deviceScope');
    members.delete('parentScopes');
    members.set('parent', JSON.stringify(line.parent));
  }
  const authentication = given.get('authentication');
  if (authentication === undefined || !saysAll(authentication)) {
    members.delete('authentication');
    return { text: objectText(members), keys: 'excluded' };
  }
  members.set('authentication', authentication);
  return { text: objectText(members), keys: 'included' };
}

/** Whether a line says how its device proves who it is, so that the hub makes no keys. */
function saysAll(authentication: string): boolean {
  if (!isObjectText(authentication)) return false;
  const { type, symmetricKey } = JSON.parse(authentication) as {
    readonly type?: string | null;
    readonly symmetricKey?: { readonly primaryKey?: string | null } | null;
  };
  const isSas = (type ?? 'sas').toLowerCase() === 'sas';
  return !isSas || (symmetricKey?.primaryKey ?? '') !== '';
}
