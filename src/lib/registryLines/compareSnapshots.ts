/**
 * Two snapshots of a registry compared: which identities came, went or changed, and in which fields. A million lines in
 * flat memory: both sides are spread over buckets by their device ids, and compared bucket by bucket.
 */

import { defined } from '../defined.ts';
import { type Problem, problemOf } from '../devicesFile/findings.ts';
import { createIdentityHash } from '../devicesFile/identityTable.ts';
import { comparedLine } from './comparedLine.ts';
import { compareIdentity } from './compareIdentity.ts';
import type { Fields } from './differences.ts';
import { mayBeRounded, parseAsWritten } from './exactJson.ts';
import { LineDigest } from './lineDigest.ts';
import { deviceNamedIn, identityOfFields, type LineIdentity, parseLine, verifiedIdentityOf } from './lineIdentity.ts';
import type { SnapshotKeys } from './snapshot.ts';
import type { Spill } from './spill.ts';
import { SpillFolder } from './spillFolder.ts';

/** What is compared: lines of identities as a hub exports them, or as a devices file has them. */
export interface Side {
  /** Read when the lines have been: a file may tell only then. */
  readonly keys: SnapshotKeys;
  /**
   * Every line, each identity once; read once. A first line of plain text and empty lines are passed over. Lines are
   * numbered from 1 as they come.
   */
  lines(): AsyncIterable<string>;
  /** The lines were verified when the snapshot was taken, and need not be again: they are as a hub writes them. */
  readonly verified?: boolean;
  /** About how many its lines take; absent: not known. */
  readonly bytes?: number;
}

export type SideName = 'before' | 'after';

/** From `before` to `after`. */
export type ChangeKind = 'created' | 'deleted' | 'changed';

export interface Change {
  readonly id: string;
  readonly moduleId?: string;
  readonly change: ChangeKind;
  /** What has changed: names such as `tags.site`, never values; at most `MOST_FIELDS`. */
  readonly fields: readonly string[];
  /** How many further fields have changed. */
  readonly moreFields?: number;
  /** The lines as they are written. They hold keys: never to be logged. */
  readonly before?: string;
  readonly after?: string;
}

export const MOST_FIELDS = 20;

/** Devices and modules together, and of these the modules. */
export interface ComparisonCounts {
  readonly created: number;
  readonly deleted: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly createdModules: number;
  readonly deletedModules: number;
  readonly changedModules: number;
  readonly unchangedModules: number;
  /** Of the changed and unchanged: keys or thumbprints of one side are not known, and were not compared. */
  readonly keysUnknown: number;
  /** Lines of both sides that are none of an identity, or of one that an earlier line has. */
  readonly rejected: number;
}

/** A line that is not compared, with the identity or the device that it names. */
export interface RejectedIdentityLine extends Problem {
  readonly side: SideName;
  readonly line: number;
  readonly id?: string;
  readonly moduleId?: string;
}

export interface CompareOptions {
  /** A folder of its own is made in there, which nobody else may read, and removed in the end. */
  readonly folder: string;
  readonly buckets?: number;
  readonly signal?: AbortSignal | undefined;
  /** Which identities are compared; default: all. */
  readonly only?: (identity: LineIdentity) => boolean;
  /** Called before any change of the device that the line names, or of any device where it names none. */
  readonly rejected?: (line: RejectedIdentityLine) => void;
}

export interface SnapshotComparison {
  /**
   * What has changed, to be read once. The order depends on nothing but the ids: a device comes right before its modules.
   *
   * @throws the signal's reason; what reading the sides throws; HubKeeperError when the folder is full
   */
  changes(): AsyncGenerator<Change, void>;
  /** Complete when all changes were read. */
  counts(): ComparisonCounts;
}

/** A bucket of a million lines of 2 KB holds 8 MB. */
const BUCKETS = 256;

export function compareSnapshots(before: Side, after: Side, options: CompareOptions): SnapshotComparison {
  const tally = new Tally();
  return {
    changes: () => readChanges(before, after, { buckets: BUCKETS, ...options }, tally),
    counts: () => tally.counts(),
  };
}

type AllOptions = CompareOptions & { readonly buckets: number };

async function* readChanges(
  before: Side,
  after: Side,
  options: AllOptions,
  tally: Tally,
): AsyncGenerator<Change, void> {
  const { folder, buckets, signal } = options;
  signal?.throwIfAborted();
  const spills = await SpillFolder.make({
    within: folder,
    purpose: 'compare',
    expected: bytesOf(before, after, options),
  });
  // Where a line of one side is not parsed anyway, it costs less to parse those that differ.
  const digest = before.verified === true || after.verified === true ? undefined : new LineDigest();
  const spread = async (side: Side, name: SideName): Promise<Spill> => {
    const spill = await spills.open(name, buckets);
    await spreadSide(side, spill, { ...options, digest, reject: rejecterOf(name, options, tally) });
    return spill;
  };
  try {
    const [from, to] = [await spread(before, 'before'), await spread(after, 'after')];
    for (let bucket = 0; bucket < buckets; bucket += 1) {
      signal?.throwIfAborted();
      const [readBefore, readAfter] = await Promise.all([from.read(bucket), to.read(bucket)]);
      const rowsBefore = inOrder(readBefore, rejecterOf('before', options, tally));
      const rowsAfter = inOrder(readAfter, rejecterOf('after', options, tally));
      for (const pair of joined(rowsBefore, rowsAfter)) {
        const change = changeOf(pair, { before: before.keys, after: after.keys }, tally);
        if (change !== undefined) yield change;
      }
    }
  } finally {
    await spills.remove();
  }
}

/** What both sides will take; not known of a part of them. */
function bytesOf({ bytes: before }: Side, { bytes: after }: Side, { only }: CompareOptions): number | undefined {
  return before === undefined || after === undefined || only !== undefined ? undefined : before + after;
}

type Reject = (line: number, problem: Problem, identity?: LineIdentity) => void;

function rejecterOf(side: SideName, { rejected }: CompareOptions, tally: Tally): Reject {
  return (line, problem, identity) => {
    tally.rejected += 1;
    rejected?.({ side, line, ...problem, ...identity });
  };
}

/** Always the same: the order of what is told does not change from one comparison to the next. */
const SEED = [
  0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f, 0x165667b1, 0x2545f491, 0x1b873593, 0xe6546b64, 0x38495ab5,
];

type SpreadOptions = AllOptions & { readonly digest: LineDigest | undefined; readonly reject: Reject };

async function spreadSide(side: Side, spill: Spill, options: SpreadOptions): Promise<void> {
  const { buckets, signal, only, digest, reject } = options;
  const hash = createIdentityHash(new Uint32Array(SEED));
  const hashed = new Uint32Array(4);
  const isVerified = side.verified === true;
  let number = 0;
  for await (const written of side.lines()) {
    number += 1;
    // An export may begin with a line of plain text, and end with an empty one.
    const text = written.trim();
    if (text === '' || (number === 1 && isPlainText(text))) continue;
    const line: ReadLine = isVerified ? verifiedIdentityOf(text) : readLine(text, digest);
    if ('code' in line) {
      const id = deviceNamedIn(text);
      if (id !== undefined && only?.({ id }) === false) continue;
      reject(number, line, id === undefined ? undefined : { id });
      continue;
    }
    const { id, moduleId = '', digested = '' } = line;
    if (only?.(moduleId === '' ? { id } : { id, moduleId }) === false) continue;
    hash(id, hashed);
    const wait = spill.add((hashed[0] ?? 0) % buckets, `${number}\t${id}\t${moduleId}\t${digested}\t${text}`);
    if (wait !== undefined) {
      await wait;
      signal?.throwIfAborted();
    }
  }
}

type ReadLine = (LineIdentity & { readonly digested?: string }) | Problem;

/** Of a line that may be anything, read once for all. */
function readLine(text: string, digest: LineDigest | undefined): ReadLine {
  const parsed = parseLine(text);
  if ('code' in parsed) return parsed;
  const identity = identityOfFields(parsed.fields);
  if (digest === undefined || 'code' in identity) return identity;
  const fields = mayBeRounded(text) ? (parseAsWritten(text) as Fields) : parsed.fields;
  return { ...identity, digested: digest.of(comparedLine(fields)) };
}

/** What could be a damaged device is no such text. */
function isPlainText(text: string): boolean {
  return !/[{}"]/.test(text);
}

interface Row {
  readonly line: number;
  readonly id: string;
  /** '' of a device, which so comes before its modules. */
  readonly moduleId: string;
  /** '' where there is none. */
  readonly digested: string;
  readonly text: string;
}

/** Sorted by identity, each once: of those that are repeated the first line counts. */
function inOrder(rows: readonly string[], reject: Reject): readonly Row[] {
  const sorted = rows.map(rowOf).sort(compareRows);
  return sorted.filter((row, index) => {
    const earlier = sorted[index - 1];
    if (earlier === undefined || compareNames(earlier, row) !== 0) return true;
    let first = index - 1;
    while (first > 0 && compareNames(sorted[first - 1] as Row, row) === 0) first -= 1;
    const { id, moduleId } = row;
    const what = moduleId === '' ? 'id' : 'id and moduleId';
    reject(row.line, problemOf('duplicate', { first: sorted[first]?.line ?? 0, what }), identityOfRow(id, moduleId));
    return false;
  });
}

function rowOf(row: string): Row {
  const afterLine = row.indexOf('\t');
  const afterId = row.indexOf('\t', afterLine + 1);
  const afterModule = row.indexOf('\t', afterId + 1);
  const afterDigest = row.indexOf('\t', afterModule + 1);
  return {
    line: Number(row.slice(0, afterLine)),
    id: row.slice(afterLine + 1, afterId),
    moduleId: row.slice(afterId + 1, afterModule),
    digested: row.slice(afterModule + 1, afterDigest),
    text: row.slice(afterDigest + 1),
  };
}

function compareRows(a: Row, b: Row): number {
  return compareNames(a, b) || a.line - b.line;
}

function compareNames(a: Row, b: Row): number {
  if (a.id !== b.id) return a.id < b.id ? -1 : 1;
  if (a.moduleId === b.moduleId) return 0;
  return a.moduleId < b.moduleId ? -1 : 1;
}

type Pair = readonly [before: Row | undefined, after: Row | undefined];

function* joined(before: readonly Row[], after: readonly Row[]): Generator<Pair, void> {
  let [left, right] = [0, 0];
  while (left < before.length || right < after.length) {
    const [from, to] = [before[left], after[right]];
    const order = from === undefined ? 1 : to === undefined ? -1 : compareNames(from, to);
    if (order <= 0) left += 1;
    if (order >= 0) right += 1;
    yield [order <= 0 ? from : undefined, order >= 0 ? to : undefined];
  }
}

function changeOf(
  [before, after]: Pair,
  keys: Readonly<Record<SideName, SnapshotKeys>>,
  tally: Tally,
): Change | undefined {
  const { id = '', moduleId = '' } = before ?? after ?? {};
  const isModule = moduleId !== '';
  if (before === undefined || after === undefined) {
    const change = before === undefined ? 'created' : 'deleted';
    tally.add(change, isModule);
    const texts = defined({ before: ownCopy(before?.text), after: ownCopy(after?.text) });
    return { ...identityOfRow(id, moduleId), change, fields: [], ...texts };
  }
  const { fields, keysUnknown } = isSameRow(before, after) ? SAME : differenceOf(id, before.text, after.text, keys);
  if (keysUnknown) tally.keysUnknown += 1;
  tally.add(fields.length === 0 ? 'unchanged' : 'changed', isModule);
  if (fields.length === 0) return undefined;
  return {
    ...identityOfRow(id, moduleId),
    change: 'changed',
    fields: fields.slice(0, MOST_FIELDS),
    ...(fields.length > MOST_FIELDS ? { moreFields: fields.length - MOST_FIELDS } : {}),
    before: ownCopy(before.text),
    after: ownCopy(after.text),
  };
}

function isSameRow(before: Row, after: Row): boolean {
  return (before.digested !== '' && before.digested === after.digested) || before.text === after.text;
}

const SAME = { fields: [], keysUnknown: false } as const;

function differenceOf(
  id: string,
  before: string,
  after: string,
  keys: Readonly<Record<SideName, SnapshotKeys>>,
): ReturnType<typeof compareIdentity> {
  try {
    return compareIdentity({ text: before, keys: keys.before }, { text: after, keys: keys.after });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // Its message quotes the line, and so a key.
    throw new Error(`A line of the device ${id} in a snapshot is no JSON.`);
  }
}

function identityOfRow(id: string, moduleId: string): LineIdentity {
  return moduleId === '' ? { id: ownCopy(id) } : { id: ownCopy(id), moduleId: ownCopy(moduleId) };
}

/** Whoever kept a part of the text of a bucket would keep all of it in memory. */
function ownCopy<T extends string | undefined>(text: T): T {
  return (text === undefined ? undefined : Buffer.from(text).toString()) as T;
}

class Tally {
  rejected = 0;
  keysUnknown = 0;
  private readonly all = { created: 0, deleted: 0, changed: 0, unchanged: 0 };
  private readonly modules = { created: 0, deleted: 0, changed: 0, unchanged: 0 };

  add(what: ChangeKind | 'unchanged', isModule: boolean): void {
    this.all[what] += 1;
    if (isModule) this.modules[what] += 1;
  }

  counts(): ComparisonCounts {
    const { created, deleted, changed, unchanged } = this.modules;
    return {
      ...this.all,
      createdModules: created,
      deletedModules: deleted,
      changedModules: changed,
      unchangedModules: unchanged,
      keysUnknown: this.keysUnknown,
      rejected: this.rejected,
    };
  }
}
