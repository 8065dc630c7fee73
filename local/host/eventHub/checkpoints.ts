import type { CheckpointStore, PartitionOwnership } from '@azure/event-hubs';
import { BlobCheckpointStore } from '@azure/eventhubs-checkpointstore-blob';
import type { StorageConnection } from '../connections.ts';
import type { PartitionPlace } from './payload.ts';

/** Where the extension keeps positions and owners: `{namespace}/{hub}/{group}/checkpoint|ownership/{partition}`. */
const containerName = 'azure-webjobs-eventhub';

export interface Checkpoints {
  readonly store: CheckpointStore;
  /** Makes the container if need be. */
  prepare(): Promise<void>;
  /** Gives up every partition that this owner still holds, from a process that was killed. */
  releaseAll(place: Omit<PartitionPlace, 'partitionId'>): Promise<void>;
  /** Gives up one partition, so that it can be claimed anew at once, by whomever. */
  release(place: PartitionPlace): Promise<void>;
}

/** The blobs of the official store, which are those of the extension. */
export function openCheckpoints(hostStorage: StorageConnection, ownerId: string): Checkpoints {
  const container = hostStorage.blobs().getContainerClient(containerName);
  const store = new BlobCheckpointStore(container);

  async function releaseAll({
    fullyQualifiedNamespace,
    eventHubName,
    consumerGroup,
  }: Omit<PartitionPlace, 'partitionId'>) {
    const all = await store.listOwnership(fullyQualifiedNamespace, eventHubName, consumerGroup);
    await giveUp(all.filter((one) => one.ownerId === ownerId));
  }

  /** An owner without a name owns nothing (event-hubs, eventProcessor.ts, isAbandoned). What another has taken stays his. */
  async function giveUp(ownerships: readonly PartitionOwnership[]): Promise<void> {
    await store.claimOwnership(ownerships.map((one) => ({ ...one, ownerId: '' })));
  }

  return {
    store,
    async prepare() {
      await container.createIfNotExists();
    },
    releaseAll,
    async release({ partitionId, ...place }) {
      const all = await store.listOwnership(place.fullyQualifiedNamespace, place.eventHubName, place.consumerGroup);
      await giveUp(all.filter((one) => one.ownerId === ownerId && one.partitionId === partitionId));
    },
  };
}
