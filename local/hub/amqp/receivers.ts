import { heldByEpoch, type LinkError, stolenBy, tooManyReceivers } from './linkError.ts';

/** A receiver of one partition in one consumer group. */
export interface PartitionReceiver {
  readonly consumerGroup: string;
  readonly partition: number;
  /** Absent: it shares the partition with others that have none. */
  readonly epoch: number | undefined;
  /** As the client calls itself. */
  readonly name: string;
  /** Sequence number of the last event that it was sent. */
  readonly position: number;
  end(error: LinkError): void;
  /** There are new events. */
  wake(): void;
  /** Sends the last events again. */
  rewind(events: number): void;
}

/** Who reads which partition, by the rules of Event Hubs. */
export interface Receivers {
  /** Lets a receiver in, which may end others; returns why not, if not. */
  admit(receiver: PartitionReceiver): LinkError | undefined;
  remove(receiver: PartitionReceiver): void;
  all(): readonly PartitionReceiver[];
}

/** https://learn.microsoft.com/azure/event-hubs/event-hubs-quotas */
const MAX_WITHOUT_EPOCH = 5;

/**
 * A receiver with an epoch has its partition for itself: it ends those with none and those with the same epoch or a
 * lower one, and keeps those out
 * (https://learn.microsoft.com/azure/event-hubs/event-processor-balance-partition-load, "Epoch").
 */
export function createReceivers(): Receivers {
  const receivers = new Set<PartitionReceiver>();
  return {
    admit: (receiver) => {
      const { epoch } = receiver;
      const rivals = [...receivers].filter(
        ({ consumerGroup, partition }) => consumerGroup === receiver.consumerGroup && partition === receiver.partition,
      );
      const held = Math.max(...rivals.map((rival) => rival.epoch ?? -1));
      if (held >= 0 && (epoch === undefined || epoch < held)) return heldByEpoch(held, epoch);
      if (epoch === undefined) {
        if (rivals.length >= MAX_WITHOUT_EPOCH) return tooManyReceivers(MAX_WITHOUT_EPOCH);
      } else {
        for (const rival of rivals) {
          receivers.delete(rival);
          rival.end(stolenBy(epoch, receiver.name, rival.epoch, rival.name));
        }
      }
      receivers.add(receiver);
      return undefined;
    },
    remove: (receiver) => {
      receivers.delete(receiver);
    },
    all: () => [...receivers],
  };
}
