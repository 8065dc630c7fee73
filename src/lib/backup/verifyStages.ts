/** What a run does that reads backups again, one or all, and compares them with their manifests. It touches no hub. */

import type { KindOfWork, StageReply } from '../work/stage.ts';
import type { WorkContext, WorkRun } from '../work/workRun.ts';
import { BackupError, sayBackup } from './backupErrors.ts';
import { type BackupState, listBackups } from './catalogue.ts';
import { verifyBackup } from './verifyBackup.ts';

/** What is asked for: one backup; or all, or those of one hub. */
export interface VerifyRequest {
  readonly backup?: string;
  /** Alias. */
  readonly hub?: string;
}

export interface VerifyResult {
  readonly backup: string;
  /** `archived`: it cannot be read before its blobs are out of the archive tier. */
  readonly result: 'good' | 'damaged' | 'gone' | 'archived';
  readonly problems: readonly string[];
}

interface VerifyNotes {
  readonly backups: readonly string[];
  readonly results: readonly VerifyResult[];
}

/** What there is to compare: one that was found damaged may be whole again. */
const READ: readonly BackupState[] = ['good', 'countMismatch', 'damaged', 'archived'];

export const VERIFY_WORK: KindOfWork = {
  first: 'list',
  stages: { list: { work: list }, verify: { work: verifyNext } },
};

async function list(context: WorkContext, record: WorkRun): Promise<StageReply> {
  if (record.notes?.['backups'] !== undefined) return { go: 'verify' };
  const { backup, hub } = record.request as VerifyRequest;
  const backups = backup === undefined ? await namesOf(context, hub) : [backup];
  const notes: VerifyNotes = { backups, results: [] };
  await context.runs.update(record.runId, (current) => ({
    ...current,
    phase: 'verify',
    notes: { ...current.notes, ...notes },
  }));
  return { go: 'verify' };
}

async function namesOf({ storage }: WorkContext, hub: string | undefined): Promise<string[]> {
  const all = await listBackups(storage, hub);
  return all.filter(({ state }) => READ.includes(state)).map(({ backup }) => backup);
}

async function verifyNext(context: WorkContext, record: WorkRun): Promise<StageReply> {
  const { backups, results } = record.notes as unknown as VerifyNotes;
  const backup = backups[results.length];
  if (backup === undefined) return endOf(results);
  const result = await verifyOne(context, record, backup);
  await context.runs.update(record.runId, (current) => {
    const { results: known } = current.notes as unknown as VerifyNotes;
    // Another attempt was first.
    if (known.length !== results.length) return undefined;
    const left = backups.length - known.length - 1;
    return {
      ...current,
      notes: { ...current.notes, results: [...known, result] },
      progress: { part: 'backups', lines: backups.length, left },
    };
  });
  return { go: 'verify' };
}

/** @throws BackupError when the one backup that was named cannot be compared with anything */
async function verifyOne(context: WorkContext, { request }: WorkRun, name: string): Promise<VerifyResult> {
  try {
    const { backup, result, problems } = await verifyBackup(context.storage, name, { now: context.now });
    return { backup, result, problems };
  } catch (error) {
    if (!(error instanceof BackupError) || (request as VerifyRequest).backup !== undefined) throw error;
    // Removed since the list was made, for its time was over.
    if (error.code === 'backupUnknown' || error.code === 'backupUnfinished') {
      return { backup: name, result: 'gone', problems: [] };
    }
    if (error.code === 'backupArchived') return { backup: name, result: 'archived', problems: [error.message] };
    return { backup: name, result: 'damaged', problems: [error.message] };
  }
}

function endOf(results: readonly VerifyResult[]): StageReply {
  const count = (wanted: VerifyResult['result']) => results.filter(({ result }) => result === wanted).length;
  const fields = {
    result: { backups: results, good: count('good'), damaged: count('damaged'), archived: count('archived') },
  };
  const first = results.find(({ result }) => result === 'damaged');
  if (first === undefined) return { end: 'completed', fields };
  const error = sayBackup('backupDamaged', { name: first.backup, what: first.problems[0] ?? '' });
  return { end: 'completedWithFailures', error, fields };
}
