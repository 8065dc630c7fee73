/**
 * Waves: lines of a devices file that are sent to the hub by bulk calls, after its import job.
 *
 * The lines of a wave lie in chunk blobs, with keys, in the container of the run. Beside each lies a state blob, without
 * keys: what became of each line, by its place in the chunk. Chunks are worked on independently of each other, each by
 * one activity at a time.
 */

import { randomBytes } from 'node:crypto';
import type { BlockBlobClient } from '@azure/storage-blob';
import { defined } from '../../defined.ts';
import type { WantedLine } from '../../registryLines/agrees.ts';
import type { SnapshotWay } from '../../registryLines/snapshot.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import { type JsonBlob, readJson, writeJson } from '../../storage/jsonBlob.ts';
import { linesOf, writeLines } from '../../storage/ndjson.ts';
import type { SecondJob } from '../evidence/jobFacts.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';

/** What the run has done since its import job ended: `WavesState`. */
export const WAVES_BLOB = 'rounds.json';
/** Lines of one chunk: bounds the state that is written with each call, and what a lost activity repeats. */
const CHUNK_LINES = 500;
/** Longest that a bulk call takes. */
export const CALL_MS = 25_000;
/** And when its reply cannot come any more, whatever became of the attempt. */
export const CALL_OVER_MS = CALL_MS + 5_000;

export interface Wave {
  /** Unique in a run: `devices`, `modules`, … */
  readonly name: string;
  /** Keeps the blobs of two attempts at writing the wave apart. */
  readonly attempt: string;
  readonly chunks: number;
  readonly lines: number;
  /** One line a call, each tried once; ends when the hub is found to be full. */
  readonly singly?: true;
  /** The identities are there; only their twins are written. */
  readonly twinOnly?: true;
  /** Each chunk has its state from the start. Absent: of a run that an earlier version began. */
  readonly hasStates?: true;
  /** The lines link devices to their parents: what becomes of them says nothing of the devices themselves. */
  readonly links?: true;
  /** The twins are patched, one by one: `updateTwin` as it is documented. */
  readonly patches?: true;
  /** The patches take away what had to go: what becomes of them says nothing of the lines themselves. */
  readonly removes?: true;
  /** Nothing is sent after this instant, where that is not `retryUntil`. */
  readonly until?: string;
  readonly finishedAt?: string;
}

/** What the run has done since its import job ended. */
export interface WavesState {
  /** No line is retried after this instant; time in which the run is suspended does not count (`isTimeOver`). */
  readonly retryUntil: string;
  /** How long the run had been suspended when this was set, ms. */
  readonly suspendedMs?: number;
  /** The import job has left its error log: where it is not any more, it was lost. */
  readonly hasLog?: true;
  readonly waves: readonly Wave[];
  readonly secondJob?: SecondJob;
  /** Lines whose fate only the registry can tell. */
  readonly verification?: Verification;
  readonly parents?: ParentLinks;
}

/** How often an export is tried by which lines are verified. */
export const MOST_EXPORT_TRIES = 3;

export interface Verification {
  readonly attempt: string;
  readonly lines: number;
  readonly way: SnapshotWay;
  /** Which try at the export this is, from 1. */
  readonly exportTry?: number;
  /** `givenUp`: the registry could not be read; the lines stay unconfirmed. */
  readonly state: 'due' | 'ended' | 'givenUp';
  readonly plannedAt?: string;
  /** The blob that holds what was found. */
  readonly foundBlobName?: string;
}

/** Where the linking of devices to their parents stands. */
export interface ParentLinks {
  /** From 1. Devices that changed while they were linked are read and linked once more. */
  readonly pass: number;
  /** Keeps the blobs of two attempts, and of the passes, apart. */
  readonly attempt: string;
  /** Devices to be linked. */
  readonly rows: number;
  /** How the registry is read: few devices one by one, more by an export job. */
  readonly way: SnapshotWay;
  /** `givenUp`: the registry could not be read, or the run was cancelled; what is not linked stays so. */
  readonly state: 'due' | 'planned' | 'ended' | 'givenUp';
  readonly openedAt: string;
  /** Nothing is sent after this instant. */
  readonly until: string;
  /** The plan that counts, once there is one: part of the names of its blobs; and how many lines each level has. */
  readonly plan?: string;
  readonly levels?: readonly number[];
  readonly earlier: readonly EarlierPass[];
}

type EarlierPass = Pick<ParentLinks, 'pass' | 'attempt' | 'plan'>;

/** What became of one line of a wave so far. */
export interface LineState {
  readonly is: 'pending' | 'sent' | 'succeeded' | 'warned' | 'failed' | 'quota' | 'doubtful';
  /** Calls that answered for it, or should have. */
  readonly tries: number;
  /** The hub's name of the last error. */
  readonly code?: string;
  /** It has to be sent in a call of its own: the hub refused a call as a whole. */
  readonly alone?: true;
  /** The identity is there; its twin has to be written once more. */
  readonly twinOnly?: true;
  /** A call may have applied it although its reply was lost, or told of an error that proves nothing. */
  readonly maybe?: true;
}

export interface ChunkState {
  /** None: nothing of the chunk was sent yet. */
  readonly lines: readonly LineState[];
  /** So many lines a call at most, since the hub throttled larger ones. */
  readonly callItems?: number;
  /** Since when a call is on its way, whose reply may still come. */
  readonly sentAt?: string;
  /** What the last step did with its part of the budget, for an activity is executed twice now and then. */
  readonly step?: {
    readonly key: string;
    readonly sent: number;
    /** When the next call is due, ms since the epoch. */
    readonly nextAt: number;
  };
}

/** Undefined before they are opened. */
export async function readWaves(context: ProvisioningContext, record: ProvisionRun): Promise<WavesState | undefined> {
  return (await read(context, record))?.value;
}

/** @throws StagingLost when they are not there any more */
export async function demandWaves(context: ProvisioningContext, record: ProvisionRun): Promise<WavesState> {
  return (await demand(context, record)).value;
}

async function demand(context: ProvisioningContext, record: ProvisionRun): Promise<JsonBlob<WavesState>> {
  const found = await read(context, record);
  if (found === undefined) throw new StagingLost(record.runId, WAVES_BLOB);
  return found;
}

async function read(context: ProvisioningContext, record: ProvisionRun): Promise<JsonBlob<WavesState> | undefined> {
  const found = await readJson<WavesState & { readonly rounds?: readonly Wave[] }>(wavesBlob(context, record));
  if (found === undefined) return undefined;
  // An earlier version called them rounds: its runs may be under way.
  const { rounds, ...state } = found.value;
  return rounds === undefined ? found : { ...found, value: { ...state, waves: rounds } };
}

/** Changes `rounds.json` until no other attempt comes between. A change that returns undefined leaves it as it is. */
export async function changeWaves(
  context: ProvisioningContext,
  record: ProvisionRun,
  change: (state: WavesState) => WavesState | undefined,
): Promise<WavesState> {
  for (;;) {
    const current = await demand(context, record);
    const next = change(current.value);
    if (next === undefined) return current.value;
    if (await writeJson(wavesBlob(context, record), next, { ifMatch: current.etag })) return next;
  }
}

export async function openWaves(
  context: ProvisioningContext,
  record: ProvisionRun,
  retryUntil: string,
  hasLog: boolean,
): Promise<WavesState> {
  const { suspendedMs = 0 } = record;
  const opened: WavesState = { retryUntil, suspendedMs, waves: [], ...(hasLog ? { hasLog } : {}) };
  await writeJson(wavesBlob(context, record), opened, { ifAbsent: true });
  return demandWaves(context, record);
}

/** Whether the time for something that follows the job is over, as `until` was set when the waves were opened. */
export function isTimeOver(
  context: ProvisioningContext,
  record: ProvisionRun,
  waves: WavesState,
  until = waves.retryUntil,
): boolean {
  const suspendedMs = (record.suspendedMs ?? 0) - (waves.suspendedMs ?? 0);
  return context.now().getTime() > Date.parse(until) + suspendedMs;
}

function wavesBlob(context: ProvisioningContext, record: ProvisionRun): BlockBlobClient {
  return stagingOf(context, record.runId).getBlockBlobClient(WAVES_BLOB);
}

/**
 * Writes the lines of a wave into chunks, and adds it to the waves of the run. If two attempts write the same wave,
 * the first to add it wins.
 *
 * @param wave `lines`: lines of a devices file, each with its `importMode`; no two of one identity
 */
export async function writeWave(
  context: ProvisioningContext,
  record: ProvisionRun,
  wave: Pick<Wave, 'name' | 'singly' | 'twinOnly' | 'links' | 'patches' | 'removes' | 'until'> & {
    readonly lines: AsyncIterable<string>;
  },
): Promise<Wave> {
  const attempt = randomBytes(4).toString('hex');
  const { lines, ...properties } = wave;
  let written: Wave = { ...properties, attempt, chunks: 0, lines: 0, hasStates: true };
  let chunk: string[] = [];
  const finishChunk = async () => {
    const blobs = chunkBlobs(context, record, written, written.chunks);
    await writeLines(blobs.lines, chunk);
    // There from the start, so that one that is not there was lost.
    await writeJson(blobs.state, { lines: [] } satisfies ChunkState);
    written = { ...written, chunks: written.chunks + 1, lines: written.lines + chunk.length };
    chunk = [];
  };
  for await (const line of lines) if (chunk.push(line) === CHUNK_LINES) await finishChunk();
  if (chunk.length > 0) await finishChunk();
  const state = await changeWaves(context, record, (current) =>
    current.waves.some(({ name }) => name === wave.name)
      ? undefined
      : { ...current, waves: [...current.waves, written] },
  );
  return state.waves.find(({ name }) => name === wave.name) ?? written;
}

export function chunkBlobs(
  context: ProvisioningContext,
  record: ProvisionRun,
  { name, attempt }: Pick<Wave, 'name' | 'attempt'>,
  chunk: number,
): { readonly lines: BlockBlobClient; readonly state: BlockBlobClient } {
  const staging = stagingOf(context, record.runId);
  const stem = `round-${name}-${attempt}/${String(chunk).padStart(5, '0')}`;
  return {
    lines: staging.getBlockBlobClient(`${stem}.txt`),
    state: staging.getBlockBlobClient(`${stem}.json`),
  };
}

/** A line of a chunk. Holds keys. */
export type WaveLine = WantedLine;

export async function readWaveLines(blob: BlockBlobClient): Promise<WaveLine[]> {
  return (await readWaveTexts(blob)).map((text) => JSON.parse(text) as WaveLine);
}

/** The lines of a chunk as they are written. */
export function readWaveTexts(blob: BlockBlobClient): Promise<string[]> {
  return Array.fromAsync(linesOf(blob));
}

/** The state of a line that has not been sent in its wave. */
export function untried({ twinOnly }: Pick<Wave, 'twinOnly'>): LineState {
  return { is: 'pending', tries: 0, ...defined({ twinOnly }) };
}

/** What became of each line of a wave, chunk by chunk. */
export async function* readWaveResults(
  context: ProvisioningContext,
  record: ProvisionRun,
  wave: Wave,
): AsyncGenerator<{ readonly line: WaveLine; readonly state: LineState }> {
  for (let chunk = 0; chunk < wave.chunks; chunk++) {
    const blobs = chunkBlobs(context, record, wave, chunk);
    const state = (await readJson<ChunkState>(blobs.state))?.value;
    if (state === undefined && wave.hasStates) throw new StagingLost(record.runId, blobs.state.name);
    const lines = await readWaveLines(blobs.lines);
    for (const [index, line] of lines.entries()) yield { line, state: state?.lines[index] ?? untried(wave) };
  }
}
