/** The plan of an undo as blobs: the lines to apply, what no line can do, and what is said of each identity. */

import { randomBytes } from 'node:crypto';

import type { ContainerClient } from '@azure/storage-blob';

import { type BlockWriter, createBlockWriter } from '../storage/blockWriter.ts';
import type { UndoneIdentity } from './decideGroup.ts';

/** Devices and modules; each identity in one of the first five. */
export interface UndoCounts {
  /** Made by the run: deleted. */
  readonly remove: number;
  readonly restore: number;
  /** Deleted by the run: made again. */
  readonly recreate: number;
  /** Changed by somebody else since: left alone. */
  readonly foreign: number;
  readonly nothing: number;
  /** Of the first three, modules. */
  readonly modules: number;
  /** Of those that are removed or restored: the hub made their keys, and nobody can tell whether they are still the run's. */
  readonly unknownKeys: number;
  /** Modules that are put back by `applySystemModules`. */
  readonly systemModules: number;
  /** Modules that are put back, and of which nobody knows who managed them. */
  readonly unknownManagers: number;
}

/** Names of blobs; what there is nothing of has none. */
export interface UndoFiles {
  readonly counts: UndoCounts;
  /** Lines of a devices file. Holds keys. */
  readonly lines?: string;
  /** Lines of the pre-image of modules that no line can make. Can hold passwords. */
  readonly system?: string;
  /** `ModuleExtra`s: who managed the modules that are put back. */
  readonly managers?: string;
  /** `UndoDetail`s of all that is not left as it is, or left alone. No keys. */
  readonly details?: string;
}

export interface UndoDetail {
  readonly id: string;
  readonly moduleId?: string;
  readonly do: 'remove' | 'restore' | 'recreate' | 'foreign';
  /** Names of fields that are put back, or that somebody else has changed; never values. */
  readonly fields?: readonly string[];
  readonly keysUnknown?: true;
}

/** @param name what the names of the blobs begin with: each attempt writes its own */
export async function writeUndo(
  container: ContainerClient,
  name: string,
  plan: AsyncIterable<UndoneIdentity>,
): Promise<UndoFiles> {
  const attempt = randomBytes(4).toString('hex');
  const files = {
    lines: new LazyBlob(container, `${name}-lines-${attempt}.txt`),
    system: new LazyBlob(container, `${name}-system-${attempt}.txt`),
    managers: new LazyBlob(container, `${name}-managers-${attempt}.ndjson`),
    details: new LazyBlob(container, `${name}-details-${attempt}.ndjson`),
  };
  const counts = { ...NO_COUNTS };
  for await (const undone of plan) {
    const { line, system, managedBy, id, moduleId } = undone;
    count(counts, undone);
    const detail = detailOf(undone);
    const managers = moduleId !== undefined && typeof managedBy === 'string';
    await Promise.all([
      line === undefined ? undefined : files.lines.add(line),
      system === undefined ? undefined : files.system.add(system),
      managers ? files.managers.add(JSON.stringify({ kind: 'module', id, moduleId, eTag: '', managedBy })) : undefined,
      detail === undefined ? undefined : files.details.add(JSON.stringify(detail)),
    ]);
  }
  const written: { counts: UndoCounts } & Partial<Record<keyof typeof files, string>> = { counts };
  for (const [kind, blob] of Object.entries(files)) {
    if (await blob.commit()) written[kind as keyof typeof files] = blob.name;
  }
  return written;
}

const NO_COUNTS = {
  remove: 0,
  restore: 0,
  recreate: 0,
  foreign: 0,
  nothing: 0,
  modules: 0,
  unknownKeys: 0,
  systemModules: 0,
  unknownManagers: 0,
};

function count(counts: { -readonly [Name in keyof UndoCounts]: number }, undone: UndoneIdentity): void {
  const { undo, moduleId, line, system, managedBy } = undone;
  counts[undo.do] += 1;
  const isWritten = undo.do === 'remove' || undo.do === 'restore' || undo.do === 'recreate';
  if (isWritten && moduleId !== undefined) counts.modules += 1;
  if ('keysUnknown' in undo && undo.keysUnknown) counts.unknownKeys += 1;
  if (system !== undefined) counts.systemModules += 1;
  if (moduleId !== undefined && line !== undefined && undo.do !== 'remove' && managedBy === undefined) {
    counts.unknownManagers += 1;
  }
}

function detailOf({ id, moduleId, undo }: UndoneIdentity): UndoDetail | undefined {
  if (undo.do === 'nothing') return undefined;
  return {
    id,
    ...(moduleId === undefined ? {} : { moduleId }),
    do: undo.do,
    ...('fields' in undo ? { fields: undo.fields } : {}),
    ...('keysUnknown' in undo && undo.keysUnknown ? { keysUnknown: true } : {}),
  };
}

/** A blob that is there only if it has a line. */
class LazyBlob {
  readonly name: string;
  private readonly container: ContainerClient;
  private writer: BlockWriter | undefined;

  constructor(container: ContainerClient, name: string) {
    this.container = container;
    this.name = name;
  }

  async add(line: string): Promise<void> {
    this.writer ??= createBlockWriter(this.container.getBlockBlobClient(this.name));
    this.writer.writeLine(0, line);
    await this.writer.drain();
  }

  /** Whether there is such a blob. */
  async commit(): Promise<boolean> {
    await this.writer?.commit();
    return this.writer !== undefined;
  }
}
