/** What was found is repaired: each row as long as it is what was judged; one that somebody changes is judged anew. */

import { type IdentityKey, keyOf, keyText } from '../rows/row.ts';
import { type MirrorStore, RowTooLarge, type RowWrite, type StoredRow } from '../store/mirrorStore.ts';
import { type ComparedPiece, type Finding, parsedLine } from './comparePiece.ts';
import { type JudgeTerms, judge } from './judge.ts';
import type { BucketLines, ShownLine } from './sections.ts';

/** `toRepair`: of a dry run, which changes nothing. */
export type RepairAction = 'repaired' | 'leftAlone' | 'toRepair';

export interface RepairedFinding extends Omit<Finding, 'isNewer'> {
  readonly action: RepairAction;
}

export interface RepairOptions {
  /** What the snapshot shows. */
  readonly buckets: readonly BucketLines[];
  readonly terms: JudgeTerms;
}

/** What one write has for all of them: several transactions of a bucket. */
const FINDINGS_AT_ONCE = 500;
/** Whoever else writes a row again and again is newer than the snapshot. */
const TRIES = 5;

/**
 * Safe to be done again, by several at once: what is as the snapshot shows it already was repaired by another attempt.
 *
 * @throws StoreUnavailable
 */
export async function repairPiece(
  store: Pick<MirrorStore, 'read' | 'write'>,
  { findings, seen }: ComparedPiece,
  options: RepairOptions,
): Promise<readonly RepairedFinding[]> {
  const shown = new Map(options.buckets.flatMap(({ lines }) => lines).map((line) => [keyText(line), line]));
  const left = new Set<string>();
  const open = findings.filter(({ isNewer }) => isNewer !== true);
  for (let at = 0; at < open.length; at += FINDINGS_AT_ONCE) {
    const batch = open.slice(at, at + FINDINGS_AT_ONCE);
    for (const key of await repairBatch(store, batch, { ...options, shown, seen })) left.add(keyText(key));
  }
  return findings.map(({ isNewer, ...finding }) => ({
    ...finding,
    action: isNewer === true || left.has(keyText(finding)) ? 'leftAlone' : 'repaired',
  }));
}

interface BatchOptions extends RepairOptions {
  readonly shown: ReadonlyMap<string, ShownLine>;
  readonly seen: ComparedPiece['seen'];
}

/** @returns those that are left alone */
async function repairBatch(
  store: Pick<MirrorStore, 'read' | 'write'>,
  batch: readonly Finding[],
  { shown, seen, terms }: BatchOptions,
): Promise<readonly IdentityKey[]> {
  const left: IdentityKey[] = [];
  let open: readonly IdentityKey[] = batch.map(keyOf);
  const { hub } = terms;
  let known = seen;
  for (let tries = 0; tries < TRIES && open.length > 0; tries += 1) {
    const rows = await rowsOf(store, hub, open, known);
    known = new Map();
    const writes: RowWrite[] = [];
    open.forEach((key, at) => {
      const before = rows[at];
      const line = shown.get(keyText(key));
      const next = judge(key, before?.row, line && parsedLine(line), terms)?.next;
      if (next === 'newer') left.push(key);
      else if (next !== undefined) writes.push({ key, row: next === 'removed' ? undefined : next, before });
    });
    open = await write(store, hub, writes, left);
  }
  return [...left, ...open];
}

/** @returns those that have to be read again */
async function write(
  store: Pick<MirrorStore, 'write'>,
  hub: string,
  writes: readonly RowWrite[],
  left: IdentityKey[],
): Promise<readonly IdentityKey[]> {
  if (writes.length === 0) return [];
  try {
    return (await store.write(hub, writes)).map(({ key }) => key);
  } catch (error) {
    if (!(error instanceof RowTooLarge)) throw error;
    // No hub has such a twin. Some of the others may be written: they are judged anew.
    const isIt = ({ key }: RowWrite) => keyText(key) === keyText(error.key);
    left.push(error.key);
    return writes.filter((one) => !isIt(one)).map(({ key }) => key);
  }
}

async function rowsOf(
  store: Pick<MirrorStore, 'read'>,
  hub: string,
  keys: readonly IdentityKey[],
  known: ComparedPiece['seen'],
): Promise<readonly (StoredRow | undefined)[]> {
  const unknown = keys.filter((key) => !known.has(keyText(key)));
  // What is repaired already is not written: that is to be true now.
  const read = unknown.length === 0 ? [] : await store.read(hub, unknown, { fresh: true });
  const found = new Map(unknown.map((key, at) => [keyText(key), read[at]]));
  return keys.map((key) => found.get(keyText(key)) ?? known.get(keyText(key)));
}
