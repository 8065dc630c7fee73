/** Reads a file of a backup once: what its manifest says of it, and whether every line of it is sound. */

import type { BlockBlobClient } from '@azure/storage-blob';

import { countIdentities, type MeasuredLines, measureLines, objectOf } from '../registryLines/measureLines.ts';
import { bytesOf } from '../storage/readText.ts';
import type { BackupFile, BackupFileName } from './manifest.ts';

export interface MeasuredFile extends BackupFile, Pick<MeasuredLines, 'fault'> {
  /** Of `devices.txt`; else 0. */
  readonly devices: number;
  /** Of `devices.txt`; else 0. */
  readonly modules: number;
}

/**
 * @param etag of the version that is to be read
 * @throws whatever storage raises, and the reason of `signal`
 */
export async function measureFile(
  blob: BlockBlobClient,
  file: BackupFileName,
  { etag, signal }: { readonly etag: string; readonly signal?: AbortSignal | undefined },
): Promise<MeasuredFile> {
  const identities = countIdentities();
  let others = 0;
  const belongs = (text: string, line: number): boolean => {
    if (file === 'devices.txt') return identities.add(text, line);
    if (!isOf(file, text)) return false;
    others += 1;
    return true;
  };
  const measured = await measureLines(bytesOf(blob, etag), belongs, signal);
  const [all, modules] = [identities.identities(), identities.modules()];
  return { ...measured, lines: all + others, devices: all - modules, modules, etag };
}

function isOf(file: Exclude<BackupFileName, 'devices.txt'>, text: string): boolean {
  const found = objectOf(text);
  if (found === undefined) return false;
  // Live hubs write the members of configurations with capitals.
  return file === 'extras.ndjson' || typeof (found['id'] ?? found['Id']) === 'string';
}
