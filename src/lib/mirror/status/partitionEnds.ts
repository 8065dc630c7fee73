/** Where the partitions of an Event Hub end, asked of its namespace. */

import type { TokenCredential } from '@azure/core-auth';

import { safeError } from '../../redact.ts';
import { roleAction } from '../../roles.ts';
import type { EventSource } from '../mirrorSettings.ts';

export interface PartitionEnd {
  readonly partition: string;
  readonly isEmpty: boolean;
  /** Of the oldest event that is still there. */
  readonly firstSequence: number;
  /** Of the newest event. */
  readonly lastSequence: number;
  /** When that was enqueued, ISO UTC; absent: there was none. */
  readonly lastEnqueuedAt?: string;
}

/** What a namespace told; or why it did not, in words without secrets. */
export type SourceEnds =
  | { readonly namespace: string; readonly ends: readonly PartitionEnd[] }
  | { readonly namespace: string; readonly problem: string };

export type ReadEnds = (source: EventSource) => Promise<SourceEnds>;

/** People wait for it. */
const MOST_MS = 5_000;

/** @param credential makes the credential for an identity connection; called only then */
export function readEndsBy(
  credential: (clientId: string | undefined) => TokenCredential,
  mostMs: number = MOST_MS,
): ReadEnds {
  return async (source) => {
    const namespace = namespaceOf(source);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<SourceEnds>((resolve) => {
      timer = setTimeout(() => resolve({ namespace, problem: `no answer within ${mostMs / 1000} s` }), mostMs);
    });
    try {
      const ends = endsOf(source, credential, mostMs).then((found): SourceEnds => ({ namespace, ends: found }));
      return await Promise.race([ends, late]);
    } catch (error) {
      return { namespace, problem: problemOf(source, error) };
    } finally {
      clearTimeout(timer);
    }
  };
}

/** An identity without a role is refused with words that name none. */
function problemOf({ connection }: EventSource, error: unknown): string {
  const { code, message } = safeError(error);
  return connection.kind === 'identity' && code === 'UnauthorizedError'
    ? `the namespace refuses the identity of the app. ${roleAction('events')}`
    : message;
}

/** Host name of the namespace, without a port: as the host tells it of what it has read. */
export function namespaceOf({ connection }: Pick<EventSource, 'connection'>): string {
  if (connection.kind === 'identity') return connection.fullyQualifiedNamespace.toLowerCase();
  const [, host = ''] = /Endpoint=sb:\/\/([^/:;]+)/i.exec(connection.connectionString) ?? [];
  return host.toLowerCase();
}

async function endsOf(
  { connection, consumerGroup, eventHub }: EventSource,
  credential: (clientId: string | undefined) => TokenCredential,
  mostMs: number,
): Promise<readonly PartitionEnd[]> {
  // Slow to load, and needed for nothing else.
  const { EventHubConsumerClient } = await import('@azure/event-hubs');
  const options = { retryOptions: { maxRetries: 0, timeoutInMs: mostMs } };
  const client =
    connection.kind === 'connectionString'
      ? new EventHubConsumerClient(consumerGroup, connection.connectionString, eventHub, options)
      : new EventHubConsumerClient(
          consumerGroup,
          connection.fullyQualifiedNamespace,
          eventHub,
          credential(connection.clientId),
          options,
        );
  try {
    const partitions = await client.getPartitionIds();
    return await Promise.all(
      partitions.map(async (partition) => {
        const end = await client.getPartitionProperties(partition);
        return {
          partition,
          isEmpty: end.isEmpty,
          firstSequence: end.beginningSequenceNumber,
          lastSequence: end.lastEnqueuedSequenceNumber,
          ...(end.isEmpty ? {} : { lastEnqueuedAt: end.lastEnqueuedOnUtc.toISOString() }),
        };
      }),
    );
  } finally {
    // A connection that was never made may not close: nobody waits for that.
    void client.close().catch(() => undefined);
  }
}
