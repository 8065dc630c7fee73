/** Dropping a file: the upload, and the options that travel with it. */

import { randomInt, randomUUID } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';

import type { BlockBlobClient } from '@azure/storage-blob';

import { METADATA_HUB, METADATA_MARKER, optionsFromMetadata } from '../../src/lib/provisioning/drop/dropOptions.ts';
import type { ProvisionOptions } from '../../src/lib/provisioning/run/options.ts';
import type { BlobIdentity } from '../../src/lib/runs/runId.ts';
import { isConditionFailed } from '../../src/lib/storage/storageErrors.ts';
import { usageError } from '../cliError.ts';
import type { OptionFlags } from '../render/commandText.ts';
import { dropConfigurations } from './configurations.ts';
import type { Connection } from './connection.ts';

export interface DevicesFile {
  readonly path: string;
  readonly bytes: number;
  readonly isGzip: boolean;
  /** By the name: a CSV file shows by nothing else. */
  readonly format: 'lines' | 'csv';
}

/**
 * Looks whether `path` can be dropped at all.
 *
 * @param options `mayBeEmpty`: as the export of a hub without devices is
 * @throws CliError for what is no file, is empty, or is of a kind that is not read.
 */
export async function inspectFile(
  path: string,
  { mayBeEmpty = false }: { readonly mayBeEmpty?: boolean } = {},
): Promise<DevicesFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const stats = await handle.stat();
    if (stats.isDirectory()) throw usageError(`${path} is a directory.`, 'Give the devices file itself.');
    if (!stats.isFile()) throw usageError(`${path} is not a regular file.`, 'Write its content to a file first.');
    if (stats.size === 0 && !mayBeEmpty) {
      throw usageError(
        `${path} is empty: there is nothing to provision.`,
        'Write one JSON object a line, one for each device, or a CSV file with a row for each.',
      );
    }
    const start = Buffer.alloc(2);
    await handle.read(start, 0, 2, 0);
    return {
      path,
      bytes: stats.size,
      isGzip: start[0] === 0x1f && start[1] === 0x8b,
      format: /\.csv(?:\.gz)?$/i.test(path) ? 'csv' : 'lines',
    };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      throw usageError(`${path}: there is no such file.`, 'Check the name, and the folder that you are in.');
    if (code === 'EACCES' || code === 'EPERM') throw usageError(`${path} may not be read.`, 'Check its permissions.');
    throw error;
  } finally {
    await handle?.close();
  }
}

/** `20261120T101112Z-kwjx`: sorts by time, and two drops in one second stay apart. */
export function newBatchName(now: Date): string {
  const time = now.toISOString().replace(/\.\d+/, '').replace(/[-:]/g, '');
  const letters = Array.from({ length: 4 }, () => 'abcdefghjkmnpqrstuvwxyz'.charAt(randomInt(23))).join('');
  return `${time}-${letters}`;
}

/**
 * The metadata that carries the options. Names are lower-case for two reasons: metadata names are read without regard to
 * case, and the Functions host changes the case of their first letter. The marker says that no `options.json` follows.
 */
export function optionMetadata(flags: OptionFlags, version: string, hub?: string): Record<string, string> {
  const metadata: Record<string, string> = { [METADATA_MARKER]: `cli/${version}` };
  // An app with a single hub takes an unknown folder for a batch: the name says which hub was meant.
  if (hub !== undefined) metadata[METADATA_HUB] = hub;
  for (const [name, value] of Object.entries(flags)) {
    if (value !== undefined) metadata[name.toLowerCase()] = String(value);
  }
  return metadata;
}

/** The options as the app will understand them. */
export function optionsOf(flags: OptionFlags): ProvisionOptions {
  return optionsFromMetadata(optionMetadata(flags, 'check'));
}

export interface DropRequest {
  readonly file: DevicesFile;
  /** Path of the configurations that go with it. */
  readonly configurations?: string | undefined;
  readonly hub?: string | undefined;
  readonly batch: string;
  readonly metadata: Record<string, string>;
  readonly signal: AbortSignal;
  readonly onProgress?: (sentBytes: number) => void;
}

/** What is sent in one request. */
export const BLOCK_BYTES = 8 * 1024 * 1024;

/** Uploads the file with its options: whole and in one step, never over a drop that is already there. */
export async function dropFile(connection: Connection, request: DropRequest): Promise<BlobIdentity> {
  const { file, configurations } = request;
  const folder = `${request.hub === undefined ? '' : `${request.hub}/`}${request.batch}`;
  const name = `${folder}/devices.${file.format === 'csv' ? 'csv' : 'txt'}${file.isGzip ? '.gz' : ''}`;
  const blob = connection.storage.container(connection.provisionContainer).getBlockBlobClient(name);
  if (configurations !== undefined) await dropConfigurations(connection, folder, configurations);
  const etag = await upload(blob, request);
  return {
    account: connection.storage.accountName,
    container: connection.provisionContainer,
    blobName: name,
    etag,
  };
}

function contentTypeOf({ isGzip, format }: DevicesFile): string {
  if (isGzip) return 'application/gzip';
  return `text/${format === 'csv' ? 'csv' : 'plain'}; charset=utf-8`;
}

/**
 * Uploads the file, and knows its own upload again: the reply to it may be lost, and a repeated request then meets what the
 * first one wrote.
 *
 * @returns the ETag of the drop
 */
async function upload(blob: BlockBlobClient, request: DropRequest): Promise<string> {
  const { file, signal, onProgress } = request;
  const marker = `${request.metadata[METADATA_MARKER] ?? 'cli'}/${randomUUID()}`;
  const metadata = { ...request.metadata, [METADATA_MARKER]: marker };
  try {
    const response = await blob.uploadFile(file.path, {
      blockSize: BLOCK_BYTES,
      maxSingleShotSize: BLOCK_BYTES,
      concurrency: 4,
      metadata,
      // Set with the content in one request: the app never sees the file without its options.
      blobHTTPHeaders: { blobContentType: contentTypeOf(file) },
      conditions: { ifNoneMatch: '*' },
      abortSignal: signal,
      ...(onProgress === undefined ? {} : { onProgress: ({ loadedBytes }) => onProgress(loadedBytes) }),
    });
    if (response.etag === undefined) throw new Error('Storage gave no ETag for the uploaded file.');
    return response.etag;
  } catch (error) {
    if (signal.aborted) throw error;
    const refused = isConditionFailed(error);
    const there = await blob.getProperties({ abortSignal: signal }).catch((trouble: unknown) => {
      // Whose the drop is that was met cannot be said; every other upload has failed for a reason that says more.
      if (refused) throw trouble;
      return undefined;
    });
    if (there?.etag !== undefined && there.metadata?.[METADATA_MARKER] === marker) return there.etag;
    if (!refused) throw error;
    throw usageError(
      `The drop box holds ${blob.containerName}/${blob.name} already: nothing was dropped.`,
      'Give another name with --batch, or leave it out.',
    );
  }
}
