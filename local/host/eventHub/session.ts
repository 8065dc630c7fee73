import { CloseReason, type PartitionContext, type ReceivedEventData } from '@azure/event-hubs';
import type { StorageConnection } from '../connections.ts';
import type { Invoke, Unkindness } from '../contracts.ts';
import type { EventHubsSettings } from '../hostJsonEventHubs.ts';
import type { HostLog } from '../log.ts';
import { openCheckpoints } from './checkpoints.ts';
import { createEventHubClient, subscribeOptions } from './eventHubClient.ts';
import type { EventHubFunction } from './eventHubTrigger.ts';
import { openPartition, type Partition } from './partition.ts';
import type { PartitionPlace } from './payload.ts';
import { isRefusedPosition, type Troubles } from './troubles.ts';

export interface SessionOptions {
  readonly target: EventHubFunction;
  readonly settings: EventHubsSettings;
  /** `AzureWebJobsStorage`: positions are there. */
  readonly hostStorage: StorageConnection;
  /** Under which this host owns partitions; the same after a restart. */
  readonly ownerId: string;
  readonly keepsEmptyEntries: boolean;
  readonly invoke: Invoke;
  readonly troubles: Troubles;
  readonly stop: AbortSignal;
  readonly unkind: Unkindness | undefined;
  readonly log: HostLog;
}

/** Milliseconds without any event after which a session is replaced by a fresh one. */
const idleLimit = 60_000;

/**
 * Reads an event hub for one function until the host stops, a partition is lost, or nothing came for a while. The next
 * session goes on where this one stored its positions.
 *
 * The client gives up a partition when its retries are used up (the hub was away for some seconds), but keeps owning it and
 * may look at the others' owners only a minute later; and it asks for more events at each look, also when none came, so that
 * after a quiet night it would take any number at once. A fresh session is without both.
 *
 * @throws what keeps the event hub or the storage from being used, when the session begins
 */
export async function runSession(options: SessionOptions): Promise<void> {
  const { target, settings, ownerId, troubles, stop } = options;
  const checkpoints = openCheckpoints(options.hostStorage, ownerId);
  const client = createEventHubClient(target, settings, checkpoints.store, ownerId);
  const partitions = new Map<string, Partition>();
  const lastErrors = new Map<string, unknown>();
  const over = new AbortController();
  const ended = AbortSignal.any([stop, over.signal]);
  let lastEvent = Date.now();

  async function open(context: PartitionContext): Promise<void> {
    const place = placeOf(context);
    partitions.set(
      place.partitionId,
      openPartition({
        ...options,
        place,
        stop: ended,
        checkpoint: (event) => context.updateCheckpoint(event),
        failed(error) {
          troubles.tell(error, place.partitionId);
          over.abort();
        },
      }),
    );
  }

  async function process(events: readonly ReceivedEventData[], context: PartitionContext): Promise<void> {
    await partitions.get(context.partitionId)?.process(events);
    troubles.over(context.partitionId);
    if (events.length > 0) lastEvent = Date.now();
    const isIdle = [...partitions.values()].every((partition) => partition.isIdle());
    if (isIdle && Date.now() - lastEvent > idleLimit) over.abort();
    // What the client has beyond this is for the next session.
    if (ended.aborted) await new Promise(() => undefined);
  }

  async function close(reason: CloseReason, context: PartitionContext): Promise<void> {
    const { partitionId } = context;
    const partition = partitions.get(partitionId);
    partitions.delete(partitionId);
    await partition?.close();
    // Another host has taken it; or it cannot be read for itself, and is tried again while the others are read.
    const isAlone = reason === CloseReason.OwnershipLost || isRefusedPosition(lastErrors.get(partitionId));
    if (ended.aborted) return;
    if (partitions.size === 0 || !isAlone) over.abort();
    else if (reason !== CloseReason.OwnershipLost) {
      await checkpoints.release(placeOf(context)).catch(() => over.abort());
    }
  }

  async function fail(error: unknown, { partitionId }: PartitionContext): Promise<void> {
    lastErrors.set(partitionId, error);
    troubles.tell(error, partitionId);
  }

  try {
    await checkpoints.prepare();
    await checkpoints.releaseAll({
      fullyQualifiedNamespace: client.fullyQualifiedNamespace,
      eventHubName: client.eventHubName,
      consumerGroup: target.consumerGroup,
    });
    const ids = await client.getPartitionIds({ abortSignal: stop });
    options.log('debug', target.name, `Reads event hub "${client.eventHubName}", partitions ${ids.join(', ')}`);
    const subscription = client.subscribe(
      {
        processInitialize: open,
        processEvents: process,
        processClose: close,
        processError: fail,
      },
      subscribeOptions(settings, target.cardinality),
    );
    if (!ended.aborted) await new Promise((resolve) => ended.addEventListener('abort', resolve, { once: true }));
    await Promise.all([...partitions.values()].map((partition) => partition.close()));
    await subscription.close();
  } finally {
    // It may be broken already.
    await client.close().catch(() => undefined);
  }
}

function placeOf({
  fullyQualifiedNamespace,
  eventHubName,
  consumerGroup,
  partitionId,
}: PartitionContext): PartitionPlace {
  return { fullyQualifiedNamespace, eventHubName, consumerGroup, partitionId };
}
