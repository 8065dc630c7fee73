import { EventHubConsumerClient, type EventPosition, type ReceivedEventData } from '@azure/event-hubs';
import type { RunningHub } from '../../../local/hub/index.ts';
import { eventually } from '../../helpers/eventually.ts';

export const EARLIEST: EventPosition = { offset: '-1' };

/** A consumer that does not try again: the test sees each error at once. */
export function consumer(connectionString: string, consumerGroup = '$Default'): EventHubConsumerClient {
  return new EventHubConsumerClient(consumerGroup, connectionString, { retryOptions: { maxRetries: 0 } });
}

/** What the admin server says of a partition. */
export interface PartitionState {
  readonly id: number;
  readonly begin: number;
  readonly last: number;
  readonly lastOffset: number;
}

export interface EventState {
  readonly name: string;
  readonly partitions: readonly PartitionState[];
  readonly connections: number;
  readonly receivers: readonly {
    readonly consumerGroup: string;
    readonly partition: number;
    readonly epoch?: number;
    readonly position: number;
  }[];
}

export async function eventState({ adminUrl }: Pick<RunningHub, 'adminUrl'>): Promise<EventState> {
  const { events } = (await (await fetch(`${adminUrl}/state`)).json()) as { events: EventState };
  return events;
}

/** A consumer that reads all partitions, as long as it is not closed. */
export interface EventReader {
  /** What came so far, in the order of each partition. */
  readonly events: readonly ReceivedEventData[];
  readonly errors: readonly (Error & { readonly code?: string })[];
  /** Waits until the last event of now has come from each partition. */
  all(): Promise<readonly ReceivedEventData[]>;
  /** Where another reader would go on. */
  positions(partitionIds: readonly string[]): Readonly<Record<string, EventPosition>>;
  close(): Promise<void>;
}

export interface ReadOptions {
  readonly consumerGroup?: string;
  /** For all partitions, or by partition. */
  readonly from?: EventPosition | Readonly<Record<string, EventPosition>>;
  readonly ownerLevel?: number;
  /** Retries of a consumer that is to come through. */
  readonly maxRetries?: number;
}

/** The client looks after a connection that was cut only when it has waited for events this long. */
const WAIT_SECONDS = 0.1;

/** Subscribes as the users of `@azure/event-hubs` do. */
export function readEvents(
  hub: Pick<RunningHub, 'adminUrl' | 'eventsConnectionString'>,
  { consumerGroup = '$Default', from = EARLIEST, ownerLevel, maxRetries = 0 }: ReadOptions = {},
): EventReader {
  const client = new EventHubConsumerClient(consumerGroup, hub.eventsConnectionString, {
    retryOptions: { maxRetries, retryDelayInMs: 20 },
    loadBalancingOptions: { strategy: 'greedy' },
  });
  const events: ReceivedEventData[] = [];
  const last = new Map(
    Object.entries(from).map(([id, position]: [string, EventPosition]) => [Number(id), position.sequenceNumber ?? -1]),
  );
  const errors: (Error & { readonly code?: string })[] = [];
  const subscription = client.subscribe(
    {
      processEvents: async (received, context) => {
        events.push(...received);
        const newest = received.at(-1);
        if (newest === undefined) return;
        last.set(Number(context.partitionId), newest.sequenceNumber);
      },
      processError: async (error) => {
        errors.push(error);
      },
    },
    { startPosition: from, maxWaitTimeInSeconds: WAIT_SECONDS, ...(ownerLevel !== undefined && { ownerLevel }) },
  );
  return {
    events,
    errors,
    all: async () => {
      const { partitions } = await eventState(hub);
      return eventually(() => {
        if (errors[0] !== undefined) throw errors[0];
        const isDone = partitions.every(
          (state) => state.last < state.begin || (last.get(state.id) ?? -1) >= state.last,
        );
        return isDone ? events : undefined;
      }, 'the last event of each partition');
    },
    positions: (partitionIds) =>
      Object.fromEntries(
        partitionIds.map((id) => {
          const sequenceNumber = last.get(Number(id)) ?? -1;
          return [id, sequenceNumber < 0 ? EARLIEST : { sequenceNumber }];
        }),
      ),
    close: async () => {
      await subscription.close();
      await client.close();
    },
  };
}

/** Runs `use` with a reader that is closed afterwards, whatever happened. */
export async function withReader<Result>(
  hub: Pick<RunningHub, 'adminUrl' | 'eventsConnectionString'>,
  options: ReadOptions,
  use: (reader: EventReader) => Promise<Result>,
): Promise<Result> {
  const reader = readEvents(hub, options);
  try {
    return await use(reader);
  } finally {
    await reader.close();
  }
}
