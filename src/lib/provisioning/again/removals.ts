/**
 * What had to go from twins, taken away by patches when all else is done: after an import, a hub that replaces does not
 * have it any more, and one that merges still does. Which of the two a hub does is not known.
 */

import { importModeOf } from '../../devicesFile/importMode.ts';
import { createIdentityNotes } from '../../registryLines/identityNotes.ts';
import { paceOfRun } from '../../runs/paceOfRun.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { linesOf } from '../../storage/ndjson.ts';
import type { LineOf } from '../evidence/evidence.ts';
import { readFilled } from '../preImage/filled.ts';
import type { FillManifest } from '../preImage/preImageBlobs.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import { lineOf } from './aftermath.ts';
import { firstSentUntil } from './firstSentUntil.ts';
import { isTimeOver, readWaveResults, type Wave, type WaveLine, type WavesState, writeWave } from './waves.ts';

const NAME = 'removals';
/** Not taken away before the run ended. */
export const NOT_REMOVED = 'keysNotRemoved';
const GONE = '';

export interface RemovalOutcomes {
  /** Whether something had to go from the twin of a line. */
  has(line: Pick<LineOf, 'id' | 'moduleId'>): boolean;
  /** Why it may still be there; undefined when it is not. */
  failureOf(line: Pick<LineOf, 'id' | 'moduleId'>): string | undefined;
}

/** What became of the removals of a run. */
export async function readRemovals(
  context: ProvisioningContext,
  record: ProvisionRun,
  waves: readonly Wave[],
): Promise<RemovalOutcomes | undefined> {
  const removals = (await readFilled(context, record))?.removals;
  if (removals === undefined) return undefined;
  const notes = createIdentityNotes();
  for await (const { line } of removalLines(context, record, removals)) notes.set(line.id, line.moduleId, NOT_REMOVED);
  for (const wave of waves) {
    if (wave.removes === undefined) continue;
    for await (const { line, state } of readWaveResults(context, record, wave)) {
      const failure = state.is === 'failed' ? (state.code ?? NOT_REMOVED) : NOT_REMOVED;
      notes.set(line.id, line.moduleId, state.is === 'succeeded' ? GONE : failure);
    }
  }
  return {
    has: ({ id, moduleId }) => notes.find(id, moduleId) !== undefined,
    failureOf({ id, moduleId }) {
      const word = notes.find(id, moduleId);
      return word === undefined || word === GONE ? undefined : String(word);
    },
  };
}

/**
 * The wave of calls that takes away what had to go, until it is over; undefined when there is none, or none any more.
 *
 * @param isDue whether a line was applied, and may have left what had to go
 */
export async function waveOfRemovals(
  work: { readonly context: ProvisioningContext; readonly record: ProvisionRun; readonly state: WavesState },
  filled: FillManifest | undefined,
  isDue: () => Promise<(line: LineOf) => boolean>,
): Promise<Wave | undefined> {
  const { context, record, state } = work;
  if (filled?.removals === undefined || record.cancelRequestedAt !== undefined) return undefined;
  let wave = state.waves.find(({ removes }) => removes !== undefined);
  if (wave === undefined) {
    const due = await isDue();
    const lines = async function* (removals: NonNullable<FillManifest['removals']>) {
      for await (const { text, line } of removalLines(context, record, removals)) {
        if (due(lineOf({ line, mode: importModeOf(line) }))) yield text;
      }
    };
    const { patchesPerMinute: perMinute } = paceOfRun(context, record);
    wave = await writeWave(context, record, {
      name: NAME,
      patches: true,
      removes: true,
      until: firstSentUntil(context, record, { count: filled.removals.lines, perMinute }),
      lines: lines(filled.removals),
    });
  }
  if (wave.lines === 0 || wave.finishedAt !== undefined) return undefined;
  return isTimeOver(context, record, state, wave.until) ? undefined : wave;
}

async function* removalLines(
  context: ProvisioningContext,
  record: ProvisionRun,
  { blobName }: NonNullable<FillManifest['removals']>,
): AsyncGenerator<{ readonly text: string; readonly line: WaveLine }> {
  for await (const text of linesOf(stagingOf(context, record.runId).getBlockBlobClient(blobName))) {
    yield { text, line: JSON.parse(text) as WaveLine };
  }
}
