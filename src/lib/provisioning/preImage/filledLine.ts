/** What a line comes to, given what is there of its identity: as pure functions over text. */

import { type ImportMode, importModeOf, MODE_RULES } from '../../devicesFile/importMode.ts';
import type { MissingField } from '../../devicesFile/lineVerdict.ts';
import {
  givesTwin,
  mergedTwin,
  removalOf,
  type TwinText,
  twinMembers,
  twinOf,
  wholeTwin,
  withTwin,
} from '../../registryLines/twinText.ts';
import { memberMap, objectText } from '../../textFile/jsonMembers.ts';
import { type ScopedDevice, scopesToKeep } from './keptScopes.ts';

/** What is wanted of the pre-image for a line. */
export interface Wanted {
  readonly fields: readonly MissingField[];
  /** What the line says of its parent. */
  readonly parent: string | null | undefined;
  /** The line lacks something, or its device has a scope. */
  readonly isIncomplete: boolean;
  /** Whether the edge device of a scope is gone, or goes with this file. */
  readonly isGone?: ((scope: string) => boolean) | undefined;
}

/** An identity as the pre-image has it: those members that matter here, as they are written. */
export interface BeforeLine {
  readonly members: ReadonlyMap<string, string>;
  readonly twin: TwinText;
}

export interface FilledLine {
  readonly text: string;
  /** What was filled in. */
  readonly kept: readonly MissingField[];
  /** The line merges, and was given the whole sections that it comes to, under the ETag of the twin that was read. */
  readonly isMerged: boolean;
  /** A line of a patch that takes away what has to go, where the hub merges. */
  readonly removal?: string;
}

const MEMBERS_BEFORE = [
  'eTag',
  'twinETag',
  'authentication',
  'status',
  'statusReason',
  'capabilities',
  'deviceScope',
  'parentScopes',
] as const;

/** @param withTwin whether the twin matters: it can be many times as large as the rest */
export function beforeLine(text: string, withTwin: boolean): BeforeLine {
  const all = memberMap(text);
  const members = new Map<string, string>();
  for (const key of MEMBERS_BEFORE) {
    const value = all.get(key);
    if (value !== undefined && value !== 'null') members.set(key, copied(value));
  }
  const { tags, desired } = withTwin ? twinOf(all) : {};
  return {
    members,
    twin: {
      ...(tags === undefined ? {} : { tags: copied(tags) }),
      ...(desired === undefined ? {} : { desired: copied(desired) }),
    },
  };
}

/** A part of a text keeps all of it in memory, and a line its whole block of a file: thousands of them are kept. */
function copied(part: string): string {
  return ` ${part}`.slice(1);
}

/** @param before undefined: the identity is not there, and the line stays as it is */
export function filledLine(text: string, before: BeforeLine | undefined, wanted: Wanted): FilledLine {
  const unchanged: FilledLine = { text, kept: [], isMerged: false };
  if (before === undefined) return unchanged;
  const line = memberMap(text);
  const mode = importModeOf({ importMode: parsed(line.get('importMode')) as string | undefined });
  const { mayOverwrite, merges } = MODE_RULES[mode];
  if (mayOverwrite) return overwritten(text, line, mode, before, wanted);
  return merges ? merged(text, line, mode, before) : unchanged;
}

/** What is sent is the whole section, so that it is right on a hub that replaces, too. */
function merged(text: string, line: ReadonlyMap<string, string>, mode: ImportMode, before: BeforeLine): FilledLine {
  const patch = twinOf(line);
  if (!givesTwin(patch)) return { text, kept: [], isMerged: false };
  const twin = mergedTwin(before.twin, patch);
  const members = withTwin(line, twin);
  const twinETag = before.members.get('twinETag');
  const { ifUnchanged } = MODE_RULES[mode];
  const isGuarded = twinETag !== undefined && ifUnchanged !== undefined;
  // Whoever changes the twin meanwhile is not undone: the hub refuses the line then, and it is merged once more.
  if (isGuarded) {
    members.set('importMode', JSON.stringify(ifUnchanged));
    members.set('twinETag', twinETag);
  }
  return { text: objectText(members), kept: [], isMerged: isGuarded, ...removalLine(line, before.twin, twin) };
}

function overwritten(
  text: string,
  line: ReadonlyMap<string, string>,
  mode: ImportMode,
  before: BeforeLine,
  { fields, parent, isIncomplete, isGone }: Wanted,
): FilledLine {
  let members = new Map(line);
  const kept = fields.filter(
    (field) => before.members.has(field) && (field !== 'authentication' || keepsType(line, before.members)),
  );
  for (const field of kept) members.set(field, before.members.get(field) ?? 'null');
  if (isIncomplete && !isModule(line)) {
    const scopes = scopesToKeep(scopedOf(members), scopedOf(before.members), parent, isGone);
    for (const [key, scope] of Object.entries(scopes)) members.set(key, JSON.stringify(scope));
  }
  const comparesETag = MODE_RULES[mode].needs !== undefined;
  let removal: { readonly removal?: string } = {};
  const given = twinOf(line);
  if (comparesETag && isStale(line, before.members)) {
    // The hub refuses the identity, and may write the twin all the same: it is not given any.
    members.delete('tags');
    members.delete('properties');
  } else if (givesTwin(given)) {
    const twin = wholeTwin(given);
    if (twin.tags !== given.tags || twin.desired !== given.desired) members = withTwin(members, twin);
    removal = removalLine(line, before.twin, twin);
  }
  const filled = objectText(members);
  if (!isIncomplete && filled === objectText(line)) return { text, kept: [], isMerged: false, ...removal };
  // Tells which state of the device was filled in, should the line have to be sent again. A line that compares has its own.
  if (!comparesETag) {
    const eTag = before.members.get('eTag');
    if (eTag === undefined) members.delete('eTag');
    else members.set('eTag', eTag);
  }
  return { text: objectText(members), kept, isMerged: false, ...removal };
}

function removalLine(
  line: ReadonlyMap<string, string>,
  before: TwinText,
  after: TwinText,
): { readonly removal?: string } {
  const removal = removalOf(before, after);
  if (removal === undefined) return {};
  const identity = ['id', 'moduleId', 'importMode'].flatMap((key): [string, string][] => {
    const value = line.get(key);
    return value === undefined || value === 'null' ? [] : [[key, value]];
  });
  return { removal: objectText([...identity, ...twinMembers(removal)]) };
}

/** The ETag that the line compares is not the one that its identity has. */
function isStale(line: ReadonlyMap<string, string>, before: ReadonlyMap<string, string>): boolean {
  const given = parsed(line.get('eTag'));
  const there = parsed(before.get('eTag'));
  return given !== '*' && there !== undefined && given !== there;
}

/** A line that asks for another type of authentication cannot keep what the old type had. */
function keepsType(line: ReadonlyMap<string, string>, before: ReadonlyMap<string, string>): boolean {
  const wanted = typeOf(parsed(line.get('authentication')));
  return wanted === undefined || wanted === typeOf(parsed(before.get('authentication')));
}

function typeOf(authentication: unknown): string | undefined {
  const { type } = (authentication ?? {}) as { readonly type?: unknown };
  return typeof type === 'string' ? type.toLowerCase() : undefined;
}

function isModule(line: ReadonlyMap<string, string>): boolean {
  return (parsed(line.get('moduleId')) ?? undefined) !== undefined;
}

function scopedOf(members: ReadonlyMap<string, string>): ScopedDevice {
  const fields = ['id', 'capabilities', 'deviceScope', 'parentScopes'].map((key) => [key, parsed(members.get(key))]);
  return Object.fromEntries(fields) as ScopedDevice;
}

function parsed(text: string | undefined): unknown {
  return text === undefined ? undefined : (JSON.parse(text) as unknown);
}
