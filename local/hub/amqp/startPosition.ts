import type { EventLog, PartitionState } from '../events/eventLog.ts';
import { argumentError, beyondTheEnd, type LinkError } from './linkError.ts';

/** The sequence number after which a receiver reads. */
export type Start = { readonly after: number } | { readonly error: LinkError };

/** What `getEventPositionFilter` of `@azure/event-hubs` writes, and the clients of other languages. */
const SELECTOR = /^\s*amqp\.annotation\.x-opt-(offset|sequence-number|enqueued-time)\s*(>=?)\s*'?([^']*)'?\s*$/;
const LATEST = '@latest';
const EARLIEST = '-1';

/** Where a receiver starts; without a selector, at the oldest event. */
export function startPosition(log: EventLog, partition: PartitionState, selector: string | undefined): Start {
  if (selector === undefined) return { after: -1 };
  const [, by, operator, value = ''] = SELECTOR.exec(selector) ?? [];
  const isInclusive = operator === '>=';
  if (by === 'offset' && value === LATEST) return { after: partition.last - (isInclusive ? 1 : 0) };
  const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
  if (by === undefined || Number.isNaN(number)) {
    return { error: argumentError(`The filter "${selector}" names no position of an event.`) };
  }
  const lastWhere = (of: 'offset' | 'enqueuedMs') =>
    log.lastWhere(partition.id, (event) => (isInclusive ? event[of] < number : event[of] <= number))?.sequence ?? -1;
  switch (by) {
    case 'offset':
      if (value === EARLIEST) return { after: -1 };
      if (number > partition.lastOffset) return { error: beyondTheEnd('offset', value, partition.lastOffset) };
      return { after: lastWhere('offset') };
    case 'sequence-number':
      if (number > partition.last) return { error: beyondTheEnd('sequence number', value, partition.last) };
      return { after: isInclusive ? number - 1 : number };
    default:
      return { after: lastWhere('enqueuedMs') };
  }
}
