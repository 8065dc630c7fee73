/** What a line of a devices file would do to a registry, given what is there: the decision alone, without any reading. */

import { type ImportMode, MODE_RULES } from '../devicesFile/importMode.ts';
import { bareEtag } from '../registry/etag.ts';

/** Every line has exactly one of these. */
export const EFFECTS = [
  'created',
  'overwritten',
  'twinUpdated',
  'deleted',
  /** A delete of what is not there. */
  'unchanged',
  'failsExists',
  'failsMissing',
  /** A module whose device is not there. */
  'failsDeviceMissing',
  'failsEtag',
] as const;
export type Effect = (typeof EFFECTS)[number];

/** What is there of the identity that a line names. */
export interface Found {
  /** It has another ETag than a line that compares asks for. */
  readonly etagDiffers: boolean;
}

/**
 * @param found undefined: the identity is not there
 * @param device of a module: whether its device is there when the module is applied; a hub is given devices first
 */
export function whatWouldHappen(
  line: { readonly mode: ImportMode; readonly moduleId?: string | null | undefined },
  found: Found | undefined,
  device: { readonly isThere: boolean } = { isThere: true },
): Effect {
  const { absent, present, deletes, needs } = MODE_RULES[line.mode];
  const isOrphan = (line.moduleId ?? undefined) !== undefined && !device.isThere;
  // A device takes its modules along.
  if (isOrphan && !deletes) return 'failsDeviceMissing';
  if (found === undefined || isOrphan) return absent;
  return needs !== undefined && found.etagDiffers ? 'failsEtag' : present;
}

/** Whether a device is there once its line was applied. */
export function isThereAfter(effect: Effect): boolean {
  return effect !== 'deleted' && effect !== 'unchanged' && effect !== 'failsMissing';
}

/** A line of a devices file that was checked, as far as it compares. */
export interface ComparingLine {
  readonly eTag?: string | null;
  readonly twinETag?: string | null;
  readonly tags?: object | null;
  readonly properties?: { readonly desired?: object | null } | null;
}

/** The ETags that a line in this mode asks for: bare, and only those that something can differ from. */
export function etagsAskedFor(
  mode: ImportMode,
  line: ComparingLine,
): { readonly eTag?: string; readonly twinETag?: string } {
  const { needs, writesIdentity, deletes, ...rules } = MODE_RULES[mode];
  if (needs === undefined) return {};
  const writesTwin = rules.writesTwin && (given(line.tags) || given(line.properties?.desired));
  const eTag = writesIdentity || deletes ? comparable(line.eTag) : undefined;
  const twinETag = needs.etag === 'twinETag' || writesTwin ? comparable(line.twinETag) : undefined;
  return { ...(eTag === undefined ? {} : { eTag }), ...(twinETag === undefined ? {} : { twinETag }) };
}

function comparable(etag: string | null | undefined): string | undefined {
  const bare = bareEtag(etag ?? '');
  return bare === '' || bare === '*' ? undefined : bare;
}

function given(value: unknown): boolean {
  return value !== undefined && value !== null;
}
