/**
 * What a run does that makes a backup: it takes a name, has the hub export its registry, copies that to the backups and
 * reads it there, compares the counts, asks for what an export lacks, adds it, and writes the manifest last. Each stage may
 * be done again.
 */

import { defined } from '../defined.ts';
import { safeError } from '../redact.ts';
import { snapshotPlace, stagingOf } from '../runs/runContainer.ts';
import { hubOf } from '../runs/runRecord.ts';
import { doneWaiting, waitingFor } from '../runs/waiting.ts';
import { propertiesIfThere } from '../storage/blobProperties.ts';
import { copyVerified } from '../storage/copyBlob.ts';
import { BACKUPS_CONTAINER } from '../storage/storage.ts';
import { exportBlobs, exportStages, type KeptBlob, snapshotIn } from '../work/exportStages.ts';
import type { KindOfWork, Stage, StageReply } from '../work/stage.ts';
import { workError } from '../work/workErrors.ts';
import { enterPhase } from '../work/workNotes.ts';
import type { WorkContext, WorkRun } from '../work/workRun.ts';
import { sayBackup } from './backupErrors.ts';
import { backupBlob } from './backupFolder.ts';
import { note, notesOf, type WrittenBackup } from './backupNotes.ts';
import { openBackup } from './catalogue.ts';
import { claimBackupName } from './claimName.ts';
import { EXTRAS_BLOB, extrasStage } from './extrasStage.ts';
import { type BackupFile, type BackupManifest, countMismatch, MANIFEST_VERSION } from './manifest.ts';
import { measureFile } from './measureFile.ts';
import { pruneBackups } from './pruneBackups.ts';
import { writeManifest } from './writeManifest.ts';

const DAY_MS = 24 * 60 * 60_000;

const CONFIGURATIONS_BLOB = exportBlobs().configurations;

/** Statistics of a registry lag behind it: they are read again for so long before they are believed to differ. */
const LONGEST_COUNT_MS = 5 * 60_000;
const COUNT_SECONDS = 15;

export const BACKUP_WORK: KindOfWork = {
  first: 'name',
  stages: {
    name: { work: takeName },
    ...exportStages({
      keys: (record) => notesOf(record).keys,
      configurations: true,
      keptAt: backedUpDevices,
      before: countBefore,
      next: 'configurations',
    }),
    configurations: { work: measureConfigurations },
    count: { work: countAfter },
    extras: extrasStage('write'),
    write: { work: write },
    retention: { work: applyKeep },
  },
};

/** From here on the backup is listed, as unfinished. */
async function takeName(context: WorkContext, record: WorkRun): Promise<StageReply> {
  const { runId, createdAt: startedAt } = record;
  const backup = await claimBackupName(context.storage, hubOf(record), { runId, startedAt });
  // The setting may change while the run goes on; what is asked for once is what the manifest says.
  const keys = record.notes?.['keys'] === undefined ? context.settings.backups.keys : notesOf(record).keys;
  await note(context, runId, { backup, keys });
  return { go: 'export' };
}

/** No hub gets rights on the backups: it writes into the container of the run. */
async function backedUpDevices({ storage }: WorkContext, record: WorkRun): Promise<KeptBlob> {
  const container = storage.container(BACKUPS_CONTAINER);
  return { container, blobName: backupBlob(container, notesOf(record).backup, 'devices.txt').name };
}

async function countBefore(context: WorkContext, record: WorkRun): Promise<void> {
  await note(context, record.runId, { before: await devicesOf(context, record) });
}

async function devicesOf(context: WorkContext, record: WorkRun): Promise<number> {
  return (await context.hub(hubOf(record)).getRegistryStatistics()).totalDeviceCount;
}

async function countAfter(context: WorkContext, record: WorkRun, { since }: Parameters<Stage['work']>[2]) {
  const { identities, modules } = snapshotIn(record);
  const after = await devicesOf(context, record);
  const { before = after } = notesOf(record);
  const mismatch = countMismatch(identities - modules, before, after);
  const now = context.now().getTime();
  const first = since ?? now;
  if (mismatch !== undefined && now - first < LONGEST_COUNT_MS) {
    const reason = `the registry counts ${after} devices, its export has ${mismatch.found}; the count may lag`;
    await waitingFor(context, record.runId, { kind: 'busy', reason });
    return { wait: COUNT_SECONDS, with: { since: first } };
  }
  await doneWaiting(context, record.runId);
  await note(context, record.runId, { before, after, ...defined({ countMismatch: mismatch }) });
  return { go: 'extras' };
}

/** The snapshot vouches for identities only. */
async function measureConfigurations(context: WorkContext, record: WorkRun): Promise<StageReply> {
  const blob = stagingOf(context, record.runId).getBlockBlobClient(CONFIGURATIONS_BLOB);
  // A hub without configurations need not write the file.
  const { etag } = (await propertiesIfThere(blob)) ?? (await blob.upload('', 0));
  if (etag === undefined) throw new Error(`Storage gave no ETag for ${blob.containerName}/${blob.name}.`);
  const { bytes, sha256, lines, fault } = await measureFile(blob, 'configurations.txt', { etag });
  if (fault !== undefined) {
    const why = `ended as "completed", but line ${fault.line} of its configurations is cut off or none`;
    return { end: 'failed', error: workError('exportNotCompleted', { why }) };
  }
  await note(context, record.runId, { configurations: { bytes, sha256, lines, etag } });
  return { go: 'count' };
}

/** Copies what is not there yet; the manifest comes last, and only once all it says was read there. */
async function write(context: WorkContext, record: WorkRun): Promise<StageReply> {
  const { runId } = record;
  const { backup, written } = notesOf(record);
  if (written !== undefined) return { go: 'retention' };
  await enterPhase(context, runId, 'write');
  const manifest = manifestOf(context, record, await copyFiles(context, record));
  // One that is there is of an attempt that died after it: the name is this run's alone.
  await writeManifest(context.storage, manifest);
  // Read as whoever restores it does: what cannot be opened now is no backup.
  await note(context, runId, { written: writtenOf((await openBackup(context.storage, backup)).manifest) });
  return { go: 'retention' };
}

async function copyFiles(context: WorkContext, record: WorkRun): Promise<BackupManifest['files']> {
  const { backup, configurations, extras } = notesOf(record);
  if (configurations === undefined || extras?.file === undefined) {
    throw new Error(`The run ${record.runId} is not ready to be written.`);
  }
  const staging = stagingOf(context, record.runId);
  const backups = context.storage.container(BACKUPS_CONTAINER);
  const copied = async (file: 'configurations.txt' | 'extras.ndjson', from: string, known: BackupFile) => {
    const source = { blob: staging.getBlockBlobClient(from), sha256: known.sha256 };
    return { ...known, etag: await copyVerified(source, backupBlob(backups, backup, file), context.sleep) };
  };
  const { bytes, sha256, identities: lines, etag } = snapshotIn(record);
  if (etag === undefined) throw new Error(`The snapshot of the run ${record.runId} has no ETag.`);
  return {
    // It lies there already, and was verified there.
    'devices.txt': { bytes, sha256, lines, etag },
    'configurations.txt': await copied('configurations.txt', CONFIGURATIONS_BLOB, configurations),
    'extras.ndjson': await copied('extras.ndjson', EXTRAS_BLOB, extras.file),
  };
}

function manifestOf(context: WorkContext, record: WorkRun, files: BackupManifest['files']): BackupManifest {
  const { backup, keys, before = 0, after = 0, countMismatch: mismatch, extras } = notesOf(record);
  const snapshot = snapshotIn(record);
  const { hub } = snapshotPlace(context, record);
  const now = context.now().toISOString();
  const { keepDays } = record.request;
  const keepUntil =
    typeof keepDays === 'number' ? new Date(context.now().getTime() + keepDays * DAY_MS).toISOString() : undefined;
  return {
    version: MANIFEST_VERSION,
    backup,
    runId: record.runId,
    hub: hub.hubName,
    hubHost: hub.hostName,
    startedAt: record.startedAt ?? record.createdAt,
    takenAt: snapshot.takenAt,
    finishedAt: now,
    keys,
    devices: snapshot.identities - snapshot.modules,
    modules: snapshot.modules,
    configurations: files['configurations.txt'].lines,
    registry: { before, after },
    ...defined({ countMismatch: mismatch, extrasMissing: extras?.missing }),
    files,
    extrasComplete: extras?.missing === undefined,
    verifiedAt: now,
    job: snapshot.job ?? { jobId: '', status: '' },
    ...defined({ keepUntil }),
  };
}

function writtenOf({ devices, modules, configurations, files, extrasComplete }: BackupManifest): WrittenBackup {
  const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
  return { devices, modules, configurations, bytes, extrasComplete };
}

/**
 * The backup is there; what cannot be removed now is removed after the next. One that was asked for leaves that to the next
 * that is due: whoever makes it of a hub that has gone wrong needs the one of this morning, whose place in the day it takes.
 */
async function applyKeep(context: WorkContext, record: WorkRun): Promise<StageReply> {
  const isDue = record.request['slot'] !== undefined;
  if (!isDue && context.settings.backups.schedule !== undefined) return endOf(record, []);
  const pruned = await pruneBackups(context, { hub: hubOf(record) }).catch((error: unknown) => {
    const { message } = safeError(error);
    context.log.log('warn', `no backup was removed: ${message}`);
    return undefined;
  });
  const removed = (pruned?.remove ?? []).filter(({ outcome }) => outcome === 'removed').map(({ backup }) => backup);
  return endOf(record, removed);
}

function endOf(record: WorkRun, removed: readonly string[]): StageReply {
  const { backup, keys, written, countMismatch: mismatch, extras } = notesOf(record);
  const result = {
    backup,
    hub: record.hub,
    ...written,
    keys,
    verified: mismatch === undefined,
    countMismatch: mismatch !== undefined,
    ...defined({ extrasMissing: extras?.missing }),
    removed,
  };
  if (mismatch === undefined) return { end: 'completed', fields: { result } };
  const { found, expected } = mismatch;
  const error = sayBackup('backupCountMismatch', { name: backup, found, least: expected[0], most: expected[1] });
  return { end: 'completedWithFailures', error, fields: { result } };
}
