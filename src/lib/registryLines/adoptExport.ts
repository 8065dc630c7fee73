/**
 * A snapshot of all identities of a hub: what an export job wrote is taken over, once it was read through. The job itself
 * is started and watched by whoever wants the snapshot.
 */

import { createHash } from 'node:crypto';

import type { BlockBlobClient } from '@azure/storage-blob';

import { propertiesIfThere } from '../storage/blobProperties.ts';
import { splitLines } from '../storage/ndjson.ts';
import { bytesOf } from '../storage/readText.ts';
import { type Identity, isIdentityLine, isModuleLine, type Snapshot, type SnapshotKeys } from './snapshot.ts';
import type { SnapshotPlace } from './takeSnapshot.ts';

/** What an export job has to be asked for, so that what it writes can be taken over. */
export interface ExportRequest {
  readonly blobName: string;
  readonly keys: SnapshotKeys;
  /** Configurations are written there, too. Default: none are. */
  readonly configurationsBlobName?: string;
}

/** An export job that has ended, as far as a snapshot depends on it. */
export interface ExportJob {
  readonly jobId: string;
  /** As the hub spells it. */
  readonly status: string;
  /** ISO UTC. */
  readonly createdAt: string;
}

/** Why an export is no snapshot. */
export interface ExportFault {
  readonly fault: 'notCompleted' | 'missing' | 'torn';
  /** What happened, to go on after "the export job". */
  readonly why: string;
}

/**
 * Takes over what an export job wrote, once each line of it has been looked at: an export that was cut off is no smaller
 * snapshot.
 */
export async function adoptExport(
  { hub, container }: SnapshotPlace,
  { blobName, keys }: ExportRequest,
  { jobId, status, createdAt }: ExportJob,
): Promise<Snapshot | ExportFault> {
  const ended = `ended as "${status}"`;
  if (status.toLowerCase() !== 'completed') return { fault: 'notCompleted', why: ended };
  const verified = await verifyLines(container.getBlockBlobClient(blobName));
  if (verified === undefined) return { fault: 'missing', why: `${ended} and left nothing` };
  if ('tornLine' in verified) {
    return { fault: 'torn', why: `${ended}, but line ${verified.tornLine} of what it left is cut off or no identity` };
  }
  const job = { jobId, status };
  return {
    container: container.containerName,
    blobName,
    hub: hub.hubName,
    of: 'all',
    way: 'export',
    keys,
    takenAt: createdAt,
    ...verified,
    job,
  };
}

type Verified = Pick<Snapshot, 'identities' | 'modules' | 'bytes' | 'sha256' | 'etag'>;

/** Reads a blob of lines once; undefined when it is not there. */
async function verifyLines(blob: BlockBlobClient): Promise<Verified | { readonly tornLine: number } | undefined> {
  const etag = (await propertiesIfThere(blob))?.etag;
  if (etag === undefined) return undefined;
  const hash = createHash('sha256');
  let bytes = 0;
  const counted = async function* () {
    for await (const chunk of bytesOf(blob, etag)) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  };
  let line = 0;
  let identities = 0;
  let modules = 0;
  for await (const batch of splitLines(counted())) {
    for (const text of batch) {
      line += 1;
      if (!isIdentityLine(text) && (line === 1 || text === '')) continue;
      const identity = identityOrUndefined(text);
      if (identity === undefined) return { tornLine: line };
      identities += 1;
      if (isModuleLine(identity)) modules += 1;
    }
  }
  return { identities, modules, bytes, sha256: hash.digest('hex'), etag };
}

function identityOrUndefined(text: string): Identity | undefined {
  try {
    const line = JSON.parse(text) as Identity;
    return typeof line.id === 'string' ? line : undefined;
  } catch {
    return undefined;
  }
}
