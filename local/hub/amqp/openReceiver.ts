import type { Socket } from 'node:net';
import type { Sender } from 'rhea';
import type { PartitionState } from '../events/eventLog.ts';
import { isSameName, parseReceiverAddress } from './addresses.ts';
import type { Claims } from './claims.ts';
import type { EndpointInput } from './endpointInput.ts';
import { eventMessage, runtimeMetrics } from './eventMessage.ts';
import { createEventSender, type EventSender } from './eventSender.ts';
import { entityNotFound, type LinkError, noSuchPartition, unauthorized } from './linkError.ts';
import type { PartitionReceiver } from './receivers.ts';
import { startPosition } from './startPosition.ts';

const EPOCH = 'com.microsoft:epoch';
const RECEIVER_NAME = 'com.microsoft:receiver-name';
const RUNTIME_METRICS = 'com.microsoft:enable-receiver-runtime-metric';
const SELECTOR = 'apache.org:selector-filter:string';

export interface ReceiverRequest {
  readonly input: EndpointInput;
  readonly claims: Claims;
  readonly socket: Socket;
  /** The hub's end of the link. */
  readonly sender: Sender;
  readonly address: string;
  readonly end: (error: LinkError) => void;
}

export interface OpenReceiver {
  readonly address: string;
  readonly receiver: PartitionReceiver;
  readonly events: EventSender;
}

/** What a client asks for by a link, or why it cannot have it. Whether others have the partition is not looked at. */
export function openReceiver(request: ReceiverRequest): OpenReceiver | LinkError {
  const { input, claims, sender, address, end } = request;
  const { log } = input;
  const parsed = parseReceiverAddress(address);
  if (parsed === undefined) return entityNotFound(address);
  if (!claims.cover(address)) return unauthorized("Unauthorized access. 'Listen' claim(s) are required.");
  if (!isSameName(parsed.entity, log.name)) return entityNotFound(parsed.entity);
  const consumerGroup = input.consumerGroups.find((known) => isSameName(known, parsed.consumerGroup));
  if (consumerGroup === undefined) return entityNotFound(`${parsed.entity}/ConsumerGroups/${parsed.consumerGroup}`);
  const partition = /^\d+$/.test(parsed.partition) ? log.partition(Number(parsed.partition)) : undefined;
  if (partition === undefined) return noSuchPartition(log.partitions().length);
  const start = startPosition(log, partition, selectorOf(sender));
  if ('error' in start) return start.error;
  const events = createEventSender({
    ...request,
    log,
    partition: partition.id,
    ...start,
    messageOf: messages(request, partition),
  });
  const { [EPOCH]: epoch, [RECEIVER_NAME]: name } = sender.properties ?? {};
  const receiver: PartitionReceiver = {
    consumerGroup,
    partition: partition.id,
    epoch: epoch === undefined ? undefined : Number(epoch),
    name: name === undefined ? 'nil' : String(name),
    get position() {
      return events.position;
    },
    end,
    wake: events.wake,
    rewind: events.rewind,
  };
  return { address, receiver, events };
}

function messages(
  { input, sender }: ReceiverRequest,
  partition: PartitionState,
): Parameters<typeof createEventSender>[0]['messageOf'] {
  const { log, hubName, audience } = input;
  const withMetrics = [sender.desired_capabilities ?? []].flat().includes(RUNTIME_METRICS);
  return (event) => ({
    ...eventMessage(hubName, partition.id, event),
    ...(withMetrics && {
      delivery_annotations: runtimeMetrics(log.partition(partition.id) ?? partition, audience.now()),
    }),
  });
}

function selectorOf({ source }: Sender): string | undefined {
  const filter = source?.filter?.[SELECTOR] as { readonly value?: unknown } | string | null | undefined;
  if (filter === undefined || filter === null) return undefined;
  return String(typeof filter === 'object' ? filter.value : filter);
}
