/** What the steps after an import job have in common: the run, what is known of it, and the lines that the hub was given. */

import type { BlockBlobClient } from '@azure/storage-blob';

import { importModeOf, MODE_RULES } from '../../devicesFile/importMode.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { lostOf } from '../../runs/stagingLost.ts';
import type { LanesWork } from '../../runs/step.ts';
import { linesOf } from '../../storage/ndjson.ts';
import { type CheckResult, checkBlobs } from '../check/checkResult.ts';
import { type Evidence, evidenceOf, type Facts, type LineOf } from '../evidence/evidence.ts';
import { inputOf } from '../preImage/filled.ts';
import {
  isLostAfterSend,
  type ProvisioningContext,
  type ProvisionPhase,
  type ProvisionRun,
} from '../run/provisionRun.ts';
import { withGuards } from './sentAgain.ts';
import { type SentLine, unfilledLines } from './unfilledLines.ts';
import { isTimeOver, type WaveLine, type WavesState } from './waves.ts';

/** What is to be done next. */
export type FollowUp =
  | { readonly do: 'ended' | 'notEnded' | 'settle' }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'job'; readonly kind: 'retry' | 'verify' | 'parents' }
  | ({ readonly do: 'work' } & LanesWork);

/** The run, and what is known of it. */
export interface Aftermath {
  readonly context: ProvisioningContext;
  readonly record: ProvisionRun;
  readonly check: CheckResult;
  readonly state: WavesState;
  readonly facts: Facts;
}

/** Whether lines of the file may be sent again. */
export function mayRetry(context: ProvisioningContext, record: ProvisionRun, waves: WavesState): boolean {
  // Of lines whose notes are lost nobody knows how they were sent.
  return !isLostAfterSend(record) && maySend(context, record, waves);
}

/** @param until see `Wave` */
export function maySend(
  context: ProvisioningContext,
  record: ProvisionRun,
  waves: WavesState,
  until?: string,
): boolean {
  return record.cancelRequestedAt === undefined && !isTimeOver(context, record, waves, until);
}

/** Notes in the record what the run is at. */
export async function enter(work: Aftermath, phase: ProvisionPhase): Promise<void> {
  if (work.record.phase === phase) return;
  await work.context.runs.update(work.record.runId, (current) => ({ ...current, phase }));
}

export type SentRun = Pick<Aftermath, 'context' | 'record' | 'check'>;

/** The lines that were given to the hub, in their order. */
export async function* sentLines({ context, record, check }: SentRun): AsyncGenerator<SentLine> {
  const staging = stagingOf(context, record.runId);
  const { devices: unfilled, missing } = checkBlobs(staging, check.attempt);
  const blob = await inputBlob(context, record, check);
  if (blob === undefined) {
    yield* unfilledLines({ devices: unfilled, missing });
    return;
  }
  const sent = linesOf(blob);
  if (blob.name === unfilled.name) {
    for await (const text of sent) {
      const line = JSON.parse(text) as WaveLine;
      yield { text, line, asked: text, mode: importModeOf(line) };
    }
    return;
  }
  for await (const { text, line, asked, guard } of withGuards(sent, { unfilled, missing })) {
    const mode = importModeOf(line);
    const isMerged = MODE_RULES[mode].merges && text !== asked;
    yield { text, line, asked, mode: isMerged ? importModeOf(JSON.parse(asked) as WaveLine) : mode, guard };
  }
}

/** What the import job was given; undefined when a run that goes by the registry alone has lost it. */
async function inputBlob(
  context: ProvisioningContext,
  record: ProvisionRun,
  check: CheckResult,
): Promise<BlockBlobClient | undefined> {
  const staging = stagingOf(context, record.runId);
  if (!isLostAfterSend(record)) return staging.getBlockBlobClient(await inputOf(context, record, check));
  try {
    const blob = staging.getBlockBlobClient(await inputOf(context, record, check));
    return (await blob.exists()) ? blob : undefined;
  } catch (error) {
    if (lostOf(error) === undefined) throw error;
    return undefined;
  }
}

/** What the jobs of the run tell of a line. */
export function evidenceAfterJobs({ facts }: Aftermath, sent: SentLine): Evidence {
  return evidenceOf(lineOf(sent), facts);
}

export function lineOf({ line, mode }: Pick<SentLine, 'line' | 'mode'>): LineOf {
  const { id, moduleId } = line;
  return { id, mode, ...(moduleId === undefined || moduleId === null ? {} : { moduleId }) };
}
