/** A piece of a snapshot compared with the rows of the store. */

import { MOST_FIELDS } from '../../registryLines/compareSnapshots.ts';
import { type IdentityKey, keyOf, keyText } from '../rows/row.ts';
import type { MirrorStore, StoredRow } from '../store/mirrorStore.ts';
import { type Drift, type Judgement, type JudgeTerms, judge } from './judge.ts';
import { type BucketLines, compareKeys, isOfPiece, type Piece, type ShownLine } from './sections.ts';
import type { ShownIdentity } from './shownIdentity.ts';

/** A row that is not as the snapshot shows it, or waits for what it tells: names alone, no values. */
export interface Finding extends IdentityKey {
  readonly drift?: Drift;
  /** At most `MOST_FIELDS`. */
  readonly fields?: readonly string[];
  /** How many further fields differ. */
  readonly moreFields?: number;
  /** The row is newer than the snapshot: it is left alone. */
  readonly isNewer?: true;
}

export interface ComparedPiece {
  readonly findings: readonly Finding[];
  /** Rows as they were when they were compared, by key; undefined: there was none. Not all are kept. */
  readonly seen: ReadonlyMap<string, StoredRow | undefined>;
}

/** So many rows are kept until they are repaired; those beyond are read once more. */
const MOST_SEEN = 2_000;

/** @throws StoreUnavailable */
export async function comparePiece(
  store: Pick<MirrorStore, 'rows'>,
  piece: Piece,
  buckets: readonly BucketLines[],
  terms: JudgeTerms,
): Promise<ComparedPiece> {
  const findings: Finding[] = [];
  const seen = new Map<string, StoredRow | undefined>();
  let kept = 0;
  for (const { bucket, lines } of buckets) {
    for await (const [stored, line] of joined(store.rows(terms.hub, { bucket }), lines, piece)) {
      const key = keyOf(line ?? (stored as StoredRow).row);
      const found = judge(key, stored?.row, line && parsedLine(line), terms);
      if (found === undefined) continue;
      findings.push(findingOf(key, found));
      if (found.next === 'newer' || (stored !== undefined && kept === MOST_SEEN)) continue;
      if (stored !== undefined) kept += 1;
      seen.set(keyText(key), stored);
    }
  }
  return { findings, seen };
}

type Pair = readonly [stored: StoredRow | undefined, line: ShownLine | undefined];

/** Rows and lines of a bucket, both in order, those of one identity together. */
async function* joined(
  rows: AsyncIterable<StoredRow>,
  lines: readonly ShownLine[],
  piece: Piece,
): AsyncGenerator<Pair, void> {
  let at = 0;
  for await (const stored of rows) {
    const { row } = stored;
    if (!isOfPiece(row.deviceId, piece)) continue;
    for (; at < lines.length && compareKeys(lines[at] as ShownLine, row) < 0; at += 1) yield [undefined, lines[at]];
    const line = lines[at];
    const isSame = line !== undefined && compareKeys(line, row) === 0;
    yield [stored, isSame ? line : undefined];
    if (isSame) at += 1;
  }
  for (; at < lines.length; at += 1) yield [undefined, lines[at]];
}

function findingOf(key: IdentityKey, { drift, fields, next }: Judgement): Finding {
  return {
    ...key,
    ...(drift === undefined ? {} : { drift }),
    ...(fields === undefined ? {} : fieldsOf(fields)),
    ...(next === 'newer' ? { isNewer: true } : {}),
  };
}

export function parsedLine({ text }: ShownLine): ShownIdentity {
  return JSON.parse(text) as ShownIdentity;
}

function fieldsOf(fields: readonly string[]): Pick<Finding, 'fields' | 'moreFields'> {
  if (fields.length <= MOST_FIELDS) return { fields };
  return { fields: fields.slice(0, MOST_FIELDS), moreFields: fields.length - MOST_FIELDS };
}
