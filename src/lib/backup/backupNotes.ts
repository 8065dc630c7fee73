/** What the record of a run that makes a backup notes between its stages. */

import type { ExtrasPosition } from '../registryExtras/collectExtras.ts';
import { workNotes } from '../work/workNotes.ts';
import type { WorkRun } from '../work/workRun.ts';
import type { BackupFile, CountMismatch } from './manifest.ts';

export interface BackupNotes {
  /** Its name, taken before anything else. */
  readonly backup: string;
  readonly keys: 'included' | 'excluded';
  /** Devices that the registry counted before the export, and after it. */
  readonly before?: number;
  readonly after?: number;
  readonly countMismatch?: CountMismatch;
  /** What the hub wrote of its configurations. */
  readonly configurations?: BackupFile;
  readonly extras?: ExtrasNotes;
  /** Once the manifest is written. */
  readonly written?: WrittenBackup;
}

export interface ExtrasNotes {
  /** What is asked of the hub is asked until then, ISO UTC. */
  readonly until: string;
  /** Devices that have to be asked about, and lines taken from the backup before. */
  readonly asks: number;
  readonly reused: number;
  readonly position: ExtrasPosition;
  /** Blobs of the lines that were read so far. */
  readonly parts: readonly string[];
  /** Set once no more is asked: the whole file, and why it is not complete, if it is not. */
  readonly file?: BackupFile;
  readonly missing?: string;
}

/** What of the manifest the result of the run says. */
export interface WrittenBackup {
  readonly devices: number;
  readonly modules: number;
  readonly configurations: number;
  readonly bytes: number;
  readonly extrasComplete: boolean;
}

/** @throws Error when the backup has no name yet: its stages were taken out of order */
export function notesOf({ runId, notes }: WorkRun): BackupNotes {
  if (typeof notes?.['backup'] !== 'string') throw new Error(`The run ${runId} has no name for its backup.`);
  return notes as unknown as BackupNotes;
}

/** Adds to what the record notes. */
export const { note } = workNotes<BackupNotes>();
