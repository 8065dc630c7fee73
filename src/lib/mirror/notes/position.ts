/** How far the events of a partition were taken in, and what they were: `positions/SOURCE/PARTITION.json`. */

import { readJson } from '../../storage/jsonBlob.ts';
import { MIRROR_CONTAINER } from '../../storage/storage.ts';
import { isNotFound } from '../../storage/storageErrors.ts';
import { type Containers, noteBlob } from './note.ts';

/** The furthest event that was taken in: applied, ignored, parked or put to the dead letters. */
export interface PartitionPosition {
  /** Name of the source's connection setting. */
  readonly source: string;
  readonly partition: string;
  /** Host name of the namespace; of another one the numbers below say nothing. */
  readonly namespace: string;
  readonly eventHub: string;
  readonly sequence: number;
  readonly offset: string;
  /** ISO UTC. */
  readonly enqueuedAt: string;
  /** Our clock, when this was noted, ISO UTC. */
  readonly at: string;
  /** Since the partition was first read. */
  readonly counts: EventCounts;
  /** When the first and the last lifecycle event were enqueued, ISO UTC; absent: none was ever seen. */
  readonly firstLifecycleAt?: string;
  readonly lastLifecycleAt?: string;
}

/** An event that was taken in twice counts twice. */
export interface EventCounts {
  /** By `opType`. */
  readonly applied: Readonly<Record<string, number>>;
  /** What is no change of an identity: by its kind, as the message says it. */
  readonly ignored: Readonly<Record<string, number>>;
  /** Of hubs that are not mirrored: by the name of the hub. */
  readonly foreign: Readonly<Record<string, number>>;
  /** Parked for a store in trouble, and applied later. */
  readonly parked: number;
  /** Put to the dead letters. */
  readonly dead: number;
  /** Never taken in: the Event Hub had dropped them, or the Functions host has given them up. */
  readonly skipped: number;
}

export function positionName(source: string, partition: string): string {
  return `positions/${source}/${partition}.json`;
}

/** Of all partitions of a source that anything was ever read of. */
export async function readPositions(storage: Containers, source: string): Promise<readonly PartitionPosition[]> {
  const names: string[] = [];
  try {
    const prefix = positionName(source, '').replace(/\.json$/, '');
    for await (const { name } of storage.container(MIRROR_CONTAINER).listBlobsFlat({ prefix })) names.push(name);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  const found = await Promise.all(names.map((name) => readJson<PartitionPosition>(noteBlob(storage, name))));
  return found.flatMap((position) => position?.value ?? []);
}
