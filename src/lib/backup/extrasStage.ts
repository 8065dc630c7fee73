/**
 * The stage of a backup that asks the hub for what an export lacks: without the turn, within the budget of the hub, for a
 * limited time, and only what the backup before does not tell.
 */

import type { ContainerClient } from '@azure/storage-blob';

import { defined } from '../defined.ts';
import { safeError } from '../redact.ts';
import { HubError } from '../registry/index.ts';
import { collectExtras, EXTRAS_START, type ExtrasPosition, type ExtrasStep } from '../registryExtras/collectExtras.ts';
import { type ExtraLine, readExtras } from '../registryExtras/extraLine.ts';
import { type ModulesToAsk, planExtras } from '../registryExtras/planExtras.ts';
import { openSnapshot } from '../registryLines/snapshot.ts';
import { paceOfRun } from '../runs/paceOfRun.ts';
import { stagingOf } from '../runs/runContainer.ts';
import { hubOf } from '../runs/runRecord.ts';
import { doneWaiting, waitingFor } from '../runs/waiting.ts';
import { createBlockWriter } from '../storage/blockWriter.ts';
import { linesOf, rowsOf, writeLines } from '../storage/ndjson.ts';
import { snapshotIn } from '../work/exportStages.ts';
import type { Stage, StageInput, StageReply } from '../work/stage.ts';
import { enterPhase } from '../work/workNotes.ts';
import type { WorkContext, WorkRun } from '../work/workRun.ts';
import { type ExtrasNotes, notesOf } from './backupNotes.ts';
import { openBackup } from './catalogue.ts';
import { newestGood } from './findBackup.ts';
import { measureFile } from './measureFile.ts';

/** In the container of the run. */
export const EXTRAS_BLOB = 'extras.ndjson';
const ASKS_BLOB = 'extras-asks.ndjson';
const REUSED_BLOB = 'extras-reused.ndjson';

const MINUTE_MS = 60_000;
/** An activity works this long at most: what it has read is lost if it dies. */
const LONGEST_STEP_MS = 30_000;
const REST_SECONDS = 10;
/** One take from the budget is so much of what a minute allows: others take from it, too. */
const PART_OF_MINUTE = 4;

/** @param next the stage that follows, once the file of the extras lies in the container of the run */
export function extrasStage(next: string): Stage {
  return {
    async work(context, record, input): Promise<StageReply> {
      const extras = notesOf(record).extras ?? (await plan(context, record));
      if (extras.file !== undefined) return { go: next };
      const missing = whyOver(context, extras);
      if (missing !== undefined || extras.position.done) {
        await finish(context, record, extras, missing);
        return { go: next };
      }
      return ask(context, record, extras, input);
    },
  };
}

/** Why no more is asked, although not all was. */
function whyOver(context: WorkContext, { until, position }: ExtrasNotes): string | undefined {
  const minutes = context.settings.backups.extrasMinutes;
  if (position.done) return undefined;
  if (minutes === 0) return 'BACKUP_EXTRAS_MINUTES is 0: nothing was asked.';
  if (context.now().getTime() < Date.parse(until)) return undefined;
  return `The time for it (BACKUP_EXTRAS_MINUTES: ${minutes}) was over.`;
}

/** Finds out what has to be asked, and what the backup before tells. */
async function plan(context: WorkContext, record: WorkRun): Promise<ExtrasNotes> {
  const staging = stagingOf(context, record.runId);
  const taken = snapshotIn(record);
  // Without modules there is nothing to ask: most fleets have none, and need not be read once more.
  const lines = () =>
    taken.modules === 0 ? [] : openSnapshot(context.storage.container(taken.container), taken).lines();
  await enterPhase(context, record.runId, 'extras');
  const counts = await previousExtras(context, record)
    .then((previous) => writePlan(lines(), previous, staging))
    .catch(async (error: unknown) => {
      // A backup before that cannot be read tells nothing.
      context.log.log('warn', `the extras of the backup before are not used: ${safeError(error).message}`);
      return writePlan(lines(), [], staging);
    });
  const until = new Date(context.now().getTime() + context.settings.backups.extrasMinutes * MINUTE_MS).toISOString();
  const extras: ExtrasNotes = { until, ...counts, position: EXTRAS_START, parts: [] };
  // Another attempt may have come further.
  const noted = await context.runs.update(record.runId, (current) =>
    notesOf(current).extras === undefined ? { ...current, notes: { ...current.notes, extras } } : undefined,
  );
  return notesOf(noted).extras ?? extras;
}

type Lines = AsyncIterable<string> | readonly string[];

async function writePlan(
  lines: Lines,
  previous: AsyncIterable<ExtraLine> | Iterable<ExtraLine>,
  staging: ContainerClient,
): Promise<Pick<ExtrasNotes, 'asks' | 'reused'>> {
  const asks = createBlockWriter(staging.getBlockBlobClient(ASKS_BLOB));
  const reused = createBlockWriter(staging.getBlockBlobClient(REUSED_BLOB));
  const counts = { asks: 0, reused: 0 };
  for await (const row of planExtras(lines, previous)) {
    const isAsk = row.kind === 'ask';
    counts[isAsk ? 'asks' : 'reused'] += 1;
    const writer = isAsk ? asks : reused;
    writer.writeLine(0, JSON.stringify(row));
    const wait = writer.drain();
    if (wait !== undefined) await wait;
  }
  await asks.commit();
  await reused.commit();
  return counts;
}

/** Of the newest good backup of the same hub: an alias may have been given to another one. */
async function previousExtras(context: WorkContext, record: WorkRun): Promise<AsyncIterable<ExtraLine> | []> {
  const alias = hubOf(record);
  const newest = await newestGood(context.storage, alias);
  if (newest === undefined) return [];
  const before = await openBackup(context.storage, newest.backup);
  if (before.manifest.hubHost !== context.hub(alias).hostName) return [];
  return readExtras(before.lines('extras.ndjson'), `${newest.backup}/extras.ndjson`);
}

async function ask(
  context: WorkContext,
  record: WorkRun,
  extras: ExtrasNotes,
  { granted = 0, spreadMs = 0 }: StageInput,
): Promise<StageReply> {
  const alias = hubOf(record);
  const { itemsPerMinute } = paceOfRun(context, record);
  // The query for edge devices is an item, too.
  const left = extras.asks - extras.position.asked + 1;
  const take = Math.max(1, Math.min(left, Math.floor(itemsPerMinute / PART_OF_MINUTE)));
  if (granted === 0) return { take, itemsPerMinute };
  const staging = stagingOf(context, record.runId);
  const step = await collectExtras(
    context.hub(alias),
    rowsOf<ModulesToAsk>(staging.getBlockBlobClient(ASKS_BLOB)),
    extras.position,
    {
      atMost: granted,
      until: new Date(Math.min(Date.parse(extras.until), context.now().getTime() + LONGEST_STEP_MS)),
      pauseMs: Math.floor(spreadMs / granted),
      now: context.now,
      sleep: context.sleep,
    },
  );
  const next = await keep(context, record, extras, step);
  return follow(context, record, next, step, { take, itemsPerMinute });
}

/** The lines first, then how far they go; of two attempts that began at the same position, what the first has kept counts. */
async function keep(
  context: WorkContext,
  record: WorkRun,
  extras: ExtrasNotes,
  { lines, position }: ExtrasStep,
): Promise<ExtrasNotes> {
  const parts = [...extras.parts];
  if (lines.length > 0) {
    const part = `extras-part-${parts.length}-${position.asked}-${position.edgesFound}.ndjson`;
    const blob = stagingOf(context, record.runId).getBlockBlobClient(part);
    await writeLines(
      blob,
      lines.map((line) => JSON.stringify(line)),
    );
    parts.push(part);
  }
  const before = JSON.stringify(extras.position);
  const progress = { part: 'extras', lines: extras.asks, left: extras.asks - position.asked };
  const kept = await context.runs.update(record.runId, (current) => {
    const there = notesOf(current).extras;
    if (JSON.stringify(there?.position) !== before || there?.file !== undefined) return undefined;
    return { ...current, notes: { ...current.notes, extras: { ...extras, position, parts } }, progress };
  });
  return notesOf(kept).extras ?? extras;
}

async function follow(
  context: WorkContext,
  record: WorkRun,
  extras: ExtrasNotes,
  { stoppedBy }: ExtrasStep,
  more: { readonly take: number; readonly itemsPerMinute: number },
): Promise<StageReply> {
  if (stoppedBy === undefined) {
    if (record.waiting !== undefined) await doneWaiting(context, record.runId);
    return extras.position.done ? { go: 'extras' } : more;
  }
  if (stoppedBy instanceof HubError && stoppedBy.retryable) {
    await waitingFor(context, record.runId, { kind: 'busy', reason: stoppedBy.message });
    return { wait: REST_SECONDS };
  }
  // The backup is worth more than what is missing of its extras.
  await finish(context, record, extras, stoppedBy.message);
  return { go: 'extras' };
}

async function finish(
  context: WorkContext,
  record: WorkRun,
  extras: ExtrasNotes,
  missing: string | undefined,
): Promise<void> {
  const staging = stagingOf(context, record.runId);
  const blob = staging.getBlockBlobClient(EXTRAS_BLOB);
  await writeLines(blob, allLines(staging, [REUSED_BLOB, ...extras.parts]));
  const { etag } = await blob.getProperties();
  if (etag === undefined) throw new Error(`Storage gave no ETag for ${blob.containerName}/${blob.name}.`);
  const { bytes, sha256, lines } = await measureFile(blob, EXTRAS_BLOB, { etag });
  const why = missing ?? unreadableText(extras.position);
  await context.runs.update(record.runId, ({ waiting: _waiting, progress: _progress, ...current }) => ({
    ...current,
    notes: {
      ...current.notes,
      extras: { ...extras, file: { bytes, sha256, lines, etag }, ...defined({ missing: why }) },
    },
  }));
}

async function* allLines(staging: ContainerClient, blobs: readonly string[]): AsyncGenerator<string> {
  for (const name of blobs) yield* linesOf(staging.getBlockBlobClient(name));
}

function unreadableText({ unreadable }: ExtrasPosition): string | undefined {
  if (unreadable === 0) return undefined;
  const modules = unreadable === 1 ? '1 module' : `${unreadable} modules`;
  return `The hub does not show ${modules}: their devices are disabled, or have ids that no URL can hold.`;
}
