/**
 * Keys of the table. A partition is one bucket of one hub. In it are the rows of identities and the entries of the queue,
 * told apart by the first character of the row key.
 *
 * Row keys keep the order of ids: by character code, a device before its modules. A key may not have `/ \ # ?` and control
 * characters, and a percent sign in one troubles some clients
 * (https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model). Each of the three that
 * ids may have is replaced by a neighbour in the order that ids may not have, so that a key is as long as its ids: the longest,
 * of a module, has 258 characters of the 512 that a key may have. The blank between the ids of a device and a module comes before
 * all characters of ids, and `~` after all of them.
 *
 * Azurite reads the keys of a transaction by a pattern that takes `',` for the end of the first one: the local stack cannot
 * keep ids in which these two stand side by side.
 */

import { isHubId } from '../rows/hubId.ts';
import type { IdentityKey } from '../rows/row.ts';
import { bucketOf } from './bucketOf.ts';
import type { RowRange } from './mirrorStore.ts';

const IDENTITY = 'i';
const QUEUE = 'q';
const AFTER_DEVICE = ' ';
const AFTER_DUE = ' ';
const FIRST = '!';
const LAST = '~';

const KEY_CHARACTERS: Readonly<Record<string, string>> = { '#': '"', '%': '&', '?': '>' };
const ID_CHARACTERS: Readonly<Record<string, string>> = { '"': '#', '&': '%', '>': '?' };

/** Keys from `from` on that come before `below`. */
export interface KeyRange {
  readonly from: string;
  readonly below: string;
}

export function partitionOf(hub: string, bucket: number): string {
  return `${hub}|${String(bucket).padStart(2, '0')}`;
}

export function partitionOfDevice(hub: string, deviceId: string): string {
  return partitionOf(hub, bucketOf(deviceId));
}

/** Whether there can be a row of that key. */
export function isRowKey({ deviceId, moduleId }: IdentityKey): boolean {
  return isHubId(deviceId) && (moduleId === undefined || isHubId(moduleId));
}

export function rowKeyOf(key: IdentityKey): string {
  return IDENTITY + identityText(key);
}

/** Of an entry of the queue: by the time when its rows are due, then by a text of its own. */
export function queueKeyOf(due: string, own: string): string {
  return QUEUE + due + AFTER_DUE + own;
}

/** Whose row a key is of. */
export function identityOf(rowKey: string): IdentityKey {
  const [deviceId = '', moduleId] = rowKey.slice(1).split(AFTER_DEVICE).map(idOf);
  return moduleId === undefined ? { deviceId } : { deviceId, moduleId };
}

/** Of the queue what is due at a time; default: all of it. */
export function queueRange(dueBy?: string): KeyRange {
  return { from: QUEUE, below: dueBy === undefined ? QUEUE + LAST : QUEUE + dueBy + FIRST };
}

/** The modules of a device. */
export function modulesRange(deviceId: string): KeyRange {
  const device = IDENTITY + idText(deviceId);
  return { from: device + AFTER_DEVICE, below: device + FIRST };
}

/** The rows of a range; undefined: there are none. The texts need not be ids: people ask for them. */
export function rowRange({ after, prefix }: Pick<RowRange, 'after' | 'prefix'>): KeyRange | undefined {
  const whole: KeyRange = { from: IDENTITY, below: IDENTITY + LAST };
  // An empty text is the prefix of every id, and comes before all of them.
  if (prefix && !isHubId(prefix)) return undefined;
  const prefixed = prefix ? { from: IDENTITY + idText(prefix), below: IDENTITY + idText(prefix) + LAST } : whole;
  const from = after ? IDENTITY + textAfter(after) : IDENTITY;
  const range = { from: from > prefixed.from ? from : prefixed.from, below: prefixed.below };
  return range.from < range.below ? range : undefined;
}

function identityText({ deviceId, moduleId }: IdentityKey): string {
  return moduleId === undefined ? idText(deviceId) : idText(deviceId) + AFTER_DEVICE + idText(moduleId);
}

function idText(id: string): string {
  if (!isHubId(id)) throw new RangeError('A row cannot be kept of an id that no hub takes.');
  return id.replace(/[#%?]/g, (character) => KEY_CHARACTERS[character] ?? character);
}

function idOf(text: string): string {
  return text.replace(/["&>]/g, (character) => ID_CHARACTERS[character] ?? character);
}

/** What the keys of devices begin with, at the least, whose ids come after `text`. */
function textAfter(text: string): string {
  const at = text.search(/[^A-Za-z0-9:.%_*?!(),=@;$'+#-]/);
  // Up to here it could be an id of a device, which is not after it; nor are its modules. Longer ids are.
  if (at < 0) return text.replace(/[#%?]/g, (character) => KEY_CHARACTERS[character] ?? character) + FIRST;
  // No id has this character: those after it that begin as `text` does go on with a greater one.
  const begin = text.slice(0, at).replace(/[#%?]/g, (character) => KEY_CHARACTERS[character] ?? character);
  const next = CHARACTERS.find((character) => character > text.charAt(at));
  return begin + (next === undefined ? LAST : (KEY_CHARACTERS[next] ?? next));
}

const CHARACTERS: readonly string[] = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).filter(
  isHubId,
);
