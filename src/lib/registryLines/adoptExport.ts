/**
 * A snapshot of all identities of a hub: what an export job wrote is taken over, once it was read through. The job itself
 * is started and watched by whoever wants the snapshot.
 */

import type { BlockBlobClient } from '@azure/storage-blob';

import { propertiesIfThere } from '../storage/blobProperties.ts';
import { bytesOf } from '../storage/readText.ts';
import { countIdentities, measureLines } from './measureLines.ts';
import type { Snapshot, SnapshotKeys } from './snapshot.ts';
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
  const read = await readThrough(container.getBlockBlobClient(blobName));
  if (read === undefined) return { fault: 'missing', why: `${ended} and left nothing` };
  if (read.fault !== undefined) {
    return { fault: 'torn', why: `${ended}, but line ${read.fault.line} of what it left is cut off or no identity` };
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
    ...read.of,
    job,
  };
}

/** Reads what was written once; undefined when it is not there. */
async function readThrough(blob: BlockBlobClient) {
  const etag = (await propertiesIfThere(blob))?.etag;
  if (etag === undefined) return undefined;
  const count = countIdentities();
  const { fault, ...measured } = await measureLines(bytesOf(blob, etag), count.add);
  return { fault, of: { ...measured, identities: count.identities(), modules: count.modules(), etag } };
}
