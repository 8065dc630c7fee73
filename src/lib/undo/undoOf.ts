/**
 * What an undo does to one identity: the decision alone, out of how the identity was before the run, what the run did to
 * it, and how it is now.
 */

import { MODE_RULES } from '../devicesFile/importMode.ts';
import { compareIdentity, type IdentityDifference } from '../registryLines/compareIdentity.ts';
import type { Applied, EffectLine } from '../runs/runEffects.ts';
import { type IsConfigured, overlaps } from './configured.ts';
import { type ExpectedLine, expectedLine } from './expectedLine.ts';
import { parentIn } from './parentIn.ts';

/** What is known of an identity. Lines are those of a registry, with keys. */
export interface UndoCase {
  /** As the pre-image has it; undefined: it was not there. */
  readonly before: string | undefined;
  /** False where nobody has looked whether it was there: a line that creates is all the run had of it. Default: true. */
  readonly isBeforeKnown?: boolean;
  /** The line of the run; undefined: it has none, and the identity went along with another. */
  readonly line: Pick<EffectLine, 'mode' | 'text' | 'parent' | 'applied'> | undefined;
  /** Of a module: the run has deleted its device. */
  readonly goneWithDevice?: Applied;
  /** The run has ended the edge device that was its parent, which may have unlinked it. */
  readonly unlinked?: boolean;
  /** That edge device is not the one any more that it is linked to: it has to be linked anew. */
  readonly needsLink?: boolean;
  /** As it is now. */
  readonly live: string | undefined;
  /** What others have attached to a device that the run has made, and what would go with it. */
  readonly others?: readonly ('modules' | 'children')[];
  /** Whether a configuration of the hub explains a difference: what it is for follows from tags. Default: none does. */
  readonly isConfigured?: IsConfigured;
  /** What somebody else has changed is put back, too. */
  readonly force?: boolean;
}

export type Undo =
  | { readonly do: 'nothing' }
  /** The run has made it: it is deleted. */
  | { readonly do: 'remove'; readonly keysUnknown: boolean }
  /** It is put back in these fields, and written as a whole; `linkOnly`: it only lacks its parent. */
  | {
      readonly do: 'restore';
      readonly fields: readonly string[];
      readonly keysUnknown: boolean;
      readonly linkOnly?: true;
    }
  /** It is not there any more, and is made again. */
  | { readonly do: 'recreate' }
  /** Somebody else has changed it in these fields since: it is left alone. */
  | { readonly do: 'foreign'; readonly fields: readonly string[] };

/** Fields of what is foreign as a whole: it is there, or is not, by somebody else's doing. */
export const FOREIGN = { deleted: 'deleted', created: 'created' } as const;

const NOTHING: Undo = { do: 'nothing' };

/**
 * Expected is what the run must have left. What is as before need not be put back; what is as expected is the run's; what
 * is neither is somebody else's. A line of which nobody knows whether it was applied is compared like all others: as
 * before, it was not.
 */
export function undoOf(given: UndoCase): Undo {
  const { before, live, unlinked = false } = given;
  const line = isPossible(given.line?.applied) ? given.line : undefined;
  const isGone = isPossible(given.goneWithDevice);
  if (isGone && before !== undefined && (line === undefined || live === undefined))
    return undoOfDeleted({ ...given, before });
  const ofLink = unlinked && before !== undefined ? undoOfLink({ ...given, before }) : NOTHING;
  if (line === undefined) return ofLink;
  // It fails where something is there; applied, that was not there any more.
  const { deletes, present } = MODE_RULES[line.mode];
  if (before === undefined || (present === 'failsExists' && line.applied === 'yes')) {
    return undoOfMade({ ...given, line });
  }
  if (present === 'failsExists') return ofLink;
  return deletes ? undoOfDeleted({ ...given, before }) : undoOfChanged({ ...given, line, before });
}

function isPossible(applied: Applied | undefined): boolean {
  return applied === 'yes' || applied === 'maybe';
}

type Line = NonNullable<UndoCase['line']>;

/** What was not there before. */
function undoOfMade(given: UndoCase & { readonly line: Line }): Undo {
  const { line, live, isBeforeKnown = true, others = [], isConfigured = isNever, force = false } = given;
  const expected = expectedLine(undefined, line);
  if (live === undefined || expected === undefined) return NOTHING;
  const { fields: all, keysUnknown } = differences(expected, live);
  const fields = all.filter((field) => !isConfigured(field, live) && (field !== PARENT || !mayHaveNone(line, live)));
  if (force) return { do: 'remove', keysUnknown };
  if (fields.length > 0) return { do: 'foreign', fields };
  // Another may have been there all along that looks like it.
  if (line.applied === 'maybe' && keysUnknown && !isBeforeKnown) return { do: 'foreign', fields: [FOREIGN.created] };
  return others.length > 0 ? { do: 'foreign', fields: others } : { do: 'remove', keysUnknown };
}

type Known = UndoCase & { readonly before: string };

function undoOfDeleted(given: Known): Undo {
  const { live, unlinked = false, force = false } = given;
  if (live === undefined) return { do: 'recreate' };
  // It was not applied, or somebody else has made it again.
  const fields = fieldsToRestore({ ...given, live });
  if (fields.length === 0) return NOTHING;
  if (unlinked && fields.every((field) => field === PARENT)) return undoOfLink(given);
  return force ? { do: 'restore', fields, keysUnknown: false } : { do: 'foreign', fields };
}

function undoOfChanged(given: Known & { readonly line: Line }): Undo {
  const { before, line, live, unlinked = false, isConfigured = isNever, force = false } = given;
  if (live === undefined) return force ? { do: 'recreate' } : { do: 'foreign', fields: [FOREIGN.deleted] };
  const fields = fieldsToRestore({ ...given, live });
  if (fields.length === 0) return NOTHING;
  const expected = expectedLine(before, line) ?? asItIs(before);
  const difference = differences(expected, live);
  const isOwnUnlink = (unlinked && parentIn(live) === undefined) || mayHaveNone(line, live);
  // With other tags it is no target of a configuration any more, or has become one: the hub itself then sets what that says.
  const isRetargeted = differences(asItIs(before), expected.text).fields.some((field) => overlaps(field, 'tags'));
  const ofOthers = differences(asItIs(before), live).fields.filter(
    (field) =>
      difference.fields.some((other) => overlaps(field, other)) &&
      !(isOwnUnlink && field === PARENT) &&
      !(isRetargeted && isConfigured(field, live)),
  );
  if (ofOthers.length > 0 && !force) return { do: 'foreign', fields: ofOthers };
  return { do: 'restore', fields, keysUnknown: difference.keysUnknown };
}

/** The parent of a line is set after all else, and may not have been. */
function mayHaveNone({ parent }: Line, live: string): boolean {
  return parent !== undefined && parentIn(live) === undefined;
}

/** What only went along with its parent. */
function undoOfLink({ before, live, needsLink = false, force = false }: Known): Undo {
  if (live === undefined) return NOTHING;
  const link: Undo = { do: 'restore', fields: [PARENT], keysUnknown: false, linkOnly: true };
  if (needsLink) return link;
  if (!differences(asItIs(before), live).fields.includes(PARENT)) return NOTHING;
  return force || parentIn(live) === undefined ? link : { do: 'foreign', fields: [PARENT] };
}

const PARENT = 'parent';

/** None, where all that differs is what configurations of the hub make of it. */
function fieldsToRestore({
  before,
  live,
  needsLink = false,
  isConfigured = isNever,
}: Known & { readonly live: string }): readonly string[] {
  const { fields } = differences(asItIs(before), live);
  if (needsLink && !fields.includes(PARENT)) return [...fields, PARENT];
  return fields.every((field) => isConfigured(field, live)) ? [] : fields;
}

function asItIs(text: string): ExpectedLine {
  return { text, keys: 'included' };
}

function differences(expected: ExpectedLine, live: string): IdentityDifference {
  return compareIdentity(expected, { text: live, keys: 'included' });
}

function isNever(): boolean {
  return false;
}
