/**
 * The split snapshot compared with the store and repaired, piece by piece. What was found in a piece is kept before
 * anything is repaired: an activity that is done again tells the same, and repairs what is left.
 */

import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob';

import { stagingOf } from '../../runs/runContainer.ts';
import { hubOf } from '../../runs/runRecord.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import { keepFirst, makeOnce, readJson } from '../../storage/jsonBlob.ts';
import type { Stage } from '../../work/stage.ts';
import type { WorkContext, WorkRun } from '../../work/workRun.ts';
import type { DriftCounts } from '../notes/lastReconcile.ts';
import type { MirrorStore } from '../store/mirrorStore.ts';
import { type ComparedPiece, comparePiece, type Finding } from './comparePiece.ts';
import { addDrift, countDrift, NO_DRIFT } from './countDrift.ts';
import { isDryRun, notesOf } from './reconcileNotes.ts';
import { type RepairedFinding, repairPiece } from './repairPiece.ts';
import { type Piece, piecesOf, readPiece } from './sections.ts';
import type { SplitSnapshot } from './splitSnapshot.ts';
import { orStoreTrouble } from './storeTrouble.ts';

/** No piece is begun after so long in an activity: the last ones take their time, too. */
const BEGIN_UNTIL_MS = 20_000;
/** Hides that storage answers slowly; each holds a piece of the snapshot in memory. */
const PIECES_AT_ONCE = 3;

/** @param then the stage that follows once all pieces are done */
export function compareStage(store: () => MirrorStore, then: string): Stage {
  return {
    async work(context, record) {
      const isDone = await orStoreTrouble(() => workPieces(context, record, store()));
      return { go: isDone ? then : 'compare' };
    },
  };
}

/** @returns whether all pieces are done */
async function workPieces(context: WorkContext, record: WorkRun, store: MirrorStore): Promise<boolean> {
  const { pieces: done = 0 } = notesOf(record);
  const split = splitOf(record);
  const pieces = piecesOf(split);
  const until = context.now().getTime() + BEGIN_UNTIL_MS;
  const found: (DriftCounts | undefined)[] = [];
  let failure: unknown;
  let next = done;
  const lane = async (): Promise<void> => {
    while (next < pieces.length && failure === undefined && (next === done || context.now().getTime() < until)) {
      const at = next++;
      try {
        const { findings } = await workPiece(context, record, store, pieces[at] as Piece);
        found[at - done] = countDrift(findings);
      } catch (error) {
        failure ??= error;
      }
    }
  };
  await Promise.all(Array.from({ length: PIECES_AT_ONCE }, lane));
  const counted = found.slice(0, doneInRow(found)) as DriftCounts[];
  await notePieces(context, record, pieces.length, { done, counted });
  if (failure !== undefined) throw failure;
  return done + counted.length === pieces.length;
}

/** How many from the first on. */
function doneInRow(found: readonly (DriftCounts | undefined)[]): number {
  const gap = Array.from(found).indexOf(undefined);
  return gap < 0 ? found.length : gap;
}

async function notePieces(
  { runs }: WorkContext,
  { runId }: WorkRun,
  all: number,
  { done, counted }: { readonly done: number; readonly counted: readonly DriftCounts[] },
): Promise<void> {
  await runs.update(runId, (current) => {
    const { pieces = 0, counts = NO_DRIFT } = notesOf(current);
    // Another attempt was first.
    if (pieces !== done || counted.length === 0) return undefined;
    const now = done + counted.length;
    return {
      ...current,
      notes: { ...current.notes, pieces: now, counts: counted.reduce(addDrift, counts) },
      progress: { part: 'pieces', lines: all, left: all - now },
    };
  });
}

/** What became of a piece. */
export interface WorkedPiece {
  readonly findings: readonly RepairedFinding[];
}

async function workPiece(
  context: WorkContext,
  record: WorkRun,
  store: MirrorStore,
  piece: Piece,
): Promise<WorkedPiece> {
  const { begunAt } = notesOf(record);
  if (begunAt === undefined) throw new Error(`The run ${record.runId} does not know when its snapshot was begun.`);
  const split = splitOf(record);
  const staging = stagingOf(context, record.runId);
  return makeOnce<WorkedPiece>(workedBlob(staging, split, piece), async () => {
    const buckets = await readPiece(staging.getBlockBlobClient(split.blobName), split, piece);
    const terms = { hub: hubOf(record), begunAt, nowIso: context.now().toISOString() };
    const compare = () => comparePiece(store, piece, buckets, terms);
    if (isDryRun(record)) return { findings: (await compare()).findings.filter(hasDrift).map(unrepaired) };
    const compared = await foundOnce(pieceBlob(staging, split, piece, 'found'), compare);
    return { findings: await repairPiece(store, compared, { buckets, terms }) };
  });
}

interface KeptFindings {
  readonly findings: readonly Finding[];
}

/** What the first attempt has found counts: rows that it has repaired would not be found any more. */
async function foundOnce(blob: BlockBlobClient, compare: () => Promise<ComparedPiece>): Promise<ComparedPiece> {
  const earlier = await readJson<KeptFindings>(blob);
  if (earlier !== undefined) return { ...earlier.value, seen: new Map() };
  const compared = await compare();
  if (compared.findings.length === 0) return compared;
  return { ...compared, ...(await keepFirst<KeptFindings>(blob, { findings: compared.findings })) };
}

function hasDrift({ drift }: Finding): boolean {
  return drift !== undefined;
}

function unrepaired({ isNewer, ...finding }: Finding): RepairedFinding {
  return { ...finding, action: isNewer === true ? 'leftAlone' : 'toRepair' };
}

/** What became of each piece, in order, one after the other. */
export async function* workedPieces(context: WorkContext, record: WorkRun): AsyncGenerator<WorkedPiece, void> {
  const split = splitOf(record);
  const staging = stagingOf(context, record.runId);
  for (const piece of piecesOf(split)) {
    const worked = await readJson<WorkedPiece>(workedBlob(staging, split, piece));
    if (worked === undefined) throw new StagingLost(record.runId, `what was found in bucket ${piece.firstBucket}`);
    yield worked.value;
  }
}

function splitOf(record: WorkRun): SplitSnapshot {
  const { split } = notesOf(record);
  if (split === undefined) throw new Error(`The snapshot of the run ${record.runId} is not split.`);
  return split;
}

function workedBlob(staging: ContainerClient, split: SplitSnapshot, piece: Piece) {
  return pieceBlob(staging, split, piece, 'done');
}

function pieceBlob(
  staging: ContainerClient,
  { blobName }: SplitSnapshot,
  { firstBucket, part }: Piece,
  what: 'found' | 'done',
) {
  return staging.getBlockBlobClient(`${blobName}/${firstBucket}-${part}-${what}.json`);
}
