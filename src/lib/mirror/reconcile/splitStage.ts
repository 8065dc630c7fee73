/** The snapshot that a reconcile compares, split once into the buckets of the store. */

import { randomBytes } from 'node:crypto';

import { openBackup } from '../../backup/catalogue.ts';
import { readExtras } from '../../registryExtras/extraLine.ts';
import { liveParentScopes, parentScopesOf } from '../../registryExtras/parentScopes.ts';
import { isIdentityLine, openSnapshot } from '../../registryLines/snapshot.ts';
import { openStaging, stagingOf } from '../../runs/runContainer.ts';
import { hubOf } from '../../runs/runRecord.ts';
import { snapshotIn } from '../../work/exportStages.ts';
import type { StageReply } from '../../work/stage.ts';
import { enterPhase } from '../../work/workNotes.ts';
import type { WorkContext, WorkRun } from '../../work/workRun.ts';
import { noteOnce, notesOf } from './reconcileNotes.ts';
import { type SplitOptions, splitSnapshot } from './splitSnapshot.ts';

interface Source extends SplitOptions {
  /** Our clock, before its reading began. */
  readonly begunAt: string;
  readonly lines: AsyncIterable<string>;
}

/** Stage `split`, followed by `compare`. */
export async function split(context: WorkContext, record: WorkRun): Promise<StageReply> {
  if (notesOf(record).split !== undefined) return { go: 'compare' };
  await enterPhase(context, record.runId, 'compare');
  const { begunAt, lines, ...options } = await sourceOf(context, record);
  const staging = await openStaging(context, record.runId);
  // Two may be at it: each writes a blob of its own, and what one of them has noted is what counts.
  const blob = staging.getBlockBlobClient(`split-${randomBytes(4).toString('hex')}.ndjson`);
  await noteOnce(context, record.runId, { begunAt, split: await splitSnapshot(lines, blob, options) });
  return { go: 'compare' };
}

async function sourceOf(context: WorkContext, record: WorkRun): Promise<Source> {
  const { backup } = notesOf(record);
  if (backup !== undefined) return sourceOfBackup(context, backup);
  const snapshot = snapshotIn(record);
  return {
    // By our clock: it was noted before the job was created, and stays if the job is found again.
    begunAt: snapshot.takenAt,
    bytes: snapshot.bytes,
    lines: openSnapshot(stagingOf(context, record.runId), snapshot).lines(),
    parents: () => liveParentScopes(context.hub(hubOf(record)), context),
  };
}

async function sourceOfBackup({ storage }: WorkContext, name: string): Promise<Source> {
  const open = await openBackup(storage, name);
  const { takenAt, extrasComplete, files } = open.manifest;
  const extras = 'extras.ndjson';
  return {
    begunAt: takenAt,
    bytes: files['devices.txt'].bytes,
    lines: identityLines(open.lines('devices.txt')),
    parents: async () =>
      extrasComplete ? parentScopesOf(readExtras(open.lines(extras), `${name}/${extras}`)) : undefined,
  };
}

async function* identityLines(lines: AsyncIterable<string>): AsyncGenerator<string, void> {
  for await (const text of lines) if (isIdentityLine(text)) yield text;
}
