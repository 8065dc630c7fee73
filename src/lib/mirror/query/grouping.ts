/** What devices can be counted by. */

import type { MirrorRow } from '../rows/row.ts';
import { queryError } from './queryTexts.ts';
import { edgeOf } from './rowQuery.ts';
import { isTagPath, tagText } from './tagText.ts';

export interface Grouping {
  /** As it is asked for: `status`, `tag.site`. */
  readonly by: string;
  /** Which devices with the same are a group; null: those that have none, or of which it is not known. */
  readonly groupOf: (device: MirrorRow) => string | null;
}

/** Those that a hub's devices fall into few groups by: counted together, in one pass. */
const OF_IDENTITY: readonly Grouping[] = [
  { by: 'status', groupOf: ({ identity }) => identity?.status ?? null },
  { by: 'edge', groupOf: (row) => edgeOf(row)?.toString() ?? null },
  { by: 'authenticationType', groupOf: ({ identity }) => identity?.authenticationType ?? null },
];
const PARENT: Grouping = { by: 'parent', groupOf: ({ identity }) => identity?.parent ?? null };

const TAG = 'tag.';

/** What is counted in one pass over a hub, and kept together. */
export interface CountedTogether {
  /** Part of the name of a blob. */
  readonly name: string;
  readonly groupings: readonly Grouping[];
}

const IDENTITY: CountedTogether = { name: 'identity', groupings: OF_IDENTITY };

/**
 * @param by `hub`, or undefined for the sum: each pass counts these
 * @throws MirrorQueryError `queryInvalid`
 */
export function countedTogether(by: string | undefined): CountedTogether {
  if (by === undefined || by === 'hub' || OF_IDENTITY.some((grouping) => grouping.by === by)) return IDENTITY;
  if (by === PARENT.by) return { name: 'parent', groupings: [PARENT] };
  const path = by.startsWith(TAG) ? by.slice(TAG.length) : '';
  if (!isTagPath(path) || path.length > MOST_PATH) {
    const words = ['hub', ...OF_IDENTITY.map((grouping) => grouping.by), PARENT.by];
    throw queryError('queryInvalid', {
      name: 'by',
      expected: `one of ${words.join(', ')}, or tag.PATH such as tag.site`,
    });
  }
  const groupOf = ({ twin }: MirrorRow) => tagText(twin?.tags ?? {}, path) ?? null;
  return { name: `tag-${Buffer.from(path).toString('base64url')}`, groupings: [{ by, groupOf }] };
}

/** A blob has a name of at most 1,024 characters. */
const MOST_PATH = 600;
