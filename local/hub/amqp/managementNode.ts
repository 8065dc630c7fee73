import type { Message } from 'rhea';
import type { EventLog, PartitionState } from '../events/eventLog.ts';
import { isSameName } from './addresses.ts';
import { UNSET_MS } from './eventMessage.ts';
import { entityNotFound, type LinkError, noSuchPartition } from './linkError.ts';
import { long, stringArray, timestamp } from './rheaParts.ts';

/** What a request to a node is answered: properties by name, and a body. */
export interface NodeReply {
  readonly status: number;
  readonly description: string;
  readonly condition?: string;
  readonly body?: Readonly<Record<string, unknown>>;
}

/** Answers `READ` of an event hub or of one of its partitions. */
export function manage(log: EventLog, request: Message, isAllowed: (entity: string) => boolean): NodeReply {
  const { operation, type, name, partition } = request.application_properties ?? {};
  const entity = String(name ?? '');
  if (!isAllowed(entity)) return { ...refusal(401, 'Unauthorized.'), condition: 'amqp:unauthorized-access' };
  if (!isSameName(entity, log.name)) return refusal(404, entityNotFound(entity));
  if (operation !== 'READ') return refusal(501, `The operation '${operation}' is not served.`);
  switch (type) {
    case 'com.microsoft:eventhub':
      return ok(eventHubProperties(log));
    case 'com.microsoft:partition': {
      const state = /^\d+$/.test(String(partition)) ? log.partition(Number(partition)) : undefined;
      if (state === undefined) return refusal(400, noSuchPartition(log.partitions().length));
      return ok(partitionProperties(log, state));
    }
    default:
      return refusal(400, `There is no type '${type}'.`);
  }
}

function eventHubProperties(log: EventLog) {
  const ids = log.partitions().map(({ id }) => String(id));
  return {
    type: 'com.microsoft:eventhub',
    name: log.name,
    created_at: timestamp(log.createdMs),
    partition_count: ids.length,
    partition_ids: stringArray(ids),
  };
}

function partitionProperties(log: EventLog, { id, begin, last, lastOffset, lastEnqueuedMs }: PartitionState) {
  return {
    type: 'com.microsoft:partition',
    name: log.name,
    partition: String(id),
    begin_sequence_number: long(begin),
    last_enqueued_sequence_number: long(last),
    last_enqueued_offset: String(lastOffset),
    last_enqueued_time_utc: timestamp(lastEnqueuedMs ?? UNSET_MS),
    is_partition_empty: last < begin,
  };
}

function ok(body: Readonly<Record<string, unknown>>): NodeReply {
  return { status: 200, description: 'OK', body };
}

function refusal(status: number, why: string | LinkError): NodeReply {
  if (typeof why === 'string') return { status, description: why };
  return { status, description: why.description, condition: why.condition };
}
