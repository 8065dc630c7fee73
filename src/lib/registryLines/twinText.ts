/**
 * Tags and desired properties as text: what of them a line gives, what they come to when it is merged, and what has to go.
 *
 * Whether an import of a hub replaces a section that a line gives, or merges it, is not documented. A whole section, sent
 * as it is to be, comes to the same on both but for what had to go: that stays where the hub merges, and is removed by a
 * patch of the twin, which is documented to merge.
 */

import { withoutHubKeys } from '../devicesFile/lineText.ts';
import { isObjectText, memberMap, mergePatchText, objectText } from '../textFile/jsonMembers.ts';

export interface TwinText {
  readonly tags?: string;
  readonly desired?: string;
}

/** The sections that a line gives; one that is null is not given. */
export function twinOf(members: ReadonlyMap<string, string>): TwinText {
  const properties = members.get('properties');
  const tags = members.get('tags');
  const desired =
    properties !== undefined && isObjectText(properties) ? memberMap(properties).get('desired') : undefined;
  return {
    ...(tags !== undefined && isObjectText(tags) ? { tags } : {}),
    ...(desired !== undefined && isObjectText(desired) ? { desired: withoutHubKeys(desired) } : {}),
  };
}

export function givesTwin({ tags, desired }: TwinText): boolean {
  return tags !== undefined || desired !== undefined;
}

/** The sections that a patch gives, merged into those of a twin. */
export function mergedTwin(before: TwinText, patch: TwinText): TwinText {
  return overGiven(patch, (given, name) => mergePatchText(before[name] ?? '{}', given));
}

/** The sections as they are once they are written over what is there: null stands for what is not there. */
export function wholeTwin(twin: TwinText): TwinText {
  // Text without a null stays as it is written, blanks and all.
  return overGiven(twin, (given) => (given.includes('null') ? mergePatchText(undefined, given) : given));
}

/**
 * The patch that takes away what `before` has and `after` lacks, in sections that `after` gives; undefined when that is
 * nothing.
 */
export function removalOf(before: TwinText, after: TwinText): TwinText | undefined {
  const removal = overGiven(after, (given, name) => nullsFor(before[name], given));
  return givesTwin(removal) ? removal : undefined;
}

/** The members of a line, with these sections instead of its own. */
export function withTwin(members: ReadonlyMap<string, string>, twin: TwinText): Map<string, string> {
  const line = new Map(members);
  if (twin.tags !== undefined) line.set('tags', twin.tags);
  if (twin.desired !== undefined) {
    const properties = line.get('properties');
    const written = properties !== undefined && isObjectText(properties) ? memberMap(properties) : new Map();
    line.set('properties', objectText(written.set('desired', twin.desired)));
  }
  return line;
}

/** The members of a line that hold its twin. */
export function twinMembers({ tags, desired }: TwinText): [key: string, value: string][] {
  return [
    ...(tags === undefined ? [] : [['tags', tags] as [string, string]]),
    ...(desired === undefined ? [] : [['properties', objectText([['desired', desired]])] as [string, string]]),
  ];
}

function overGiven(twin: TwinText, change: (given: string, name: 'tags' | 'desired') => string | undefined): TwinText {
  const tags = twin.tags === undefined ? undefined : change(twin.tags, 'tags');
  const desired = twin.desired === undefined ? undefined : change(twin.desired, 'desired');
  return { ...(tags === undefined ? {} : { tags }), ...(desired === undefined ? {} : { desired }) };
}

function nullsFor(before: string | undefined, after: string): string | undefined {
  if (before === undefined) return undefined;
  const there = memberMap(after);
  const nulls: [string, string][] = [];
  for (const [key, was] of memberMap(before)) {
    const is = there.get(key);
    if (is === undefined) nulls.push([key, 'null']);
    else if (isObjectText(was) && isObjectText(is)) {
      const inner = nullsFor(was, is);
      if (inner !== undefined) nulls.push([key, inner]);
    }
  }
  return nulls.length === 0 ? undefined : objectText(nulls);
}
