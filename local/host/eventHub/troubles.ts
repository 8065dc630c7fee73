import type { HostLog } from '../log.ts';
import { redactCredentials } from '../redactCredentials.ts';
import type { EventHubFunction } from './eventHubTrigger.ts';

/** Says what is wrong with an event hub now and then, not at each try. */
export interface Troubles {
  /** @param partitionId where it is one partition's */
  tell(error: unknown, partitionId?: string): void;
  /** A partition was read: what was wrong with it, and with all, is over. */
  over(partitionId: string): void;
}

/** Milliseconds until a trouble that lasts is told again. */
const tellAgainAfter = 5 * 60_000;

interface Trouble {
  readonly toldAt: number;
  /** Partitions that have it; '' for the event hub as a whole. */
  readonly partitions: Set<string>;
}

export function createTroubles(target: EventHubFunction, log: HostLog, now: () => number = Date.now): Troubles {
  const told = new Map<string, Trouble>();
  return {
    tell(error, partitionId = '') {
      const text = troubleText(error, target);
      const { toldAt, partitions } = told.get(text) ?? { toldAt: undefined, partitions: new Set<string>() };
      partitions.add(partitionId);
      if (toldAt !== undefined && now() - toldAt < tellAgainAfter) return;
      told.set(text, { toldAt: now(), partitions });
      const where = partitionId === '' ? '' : ` (partition ${partitionId})`;
      log('warning', target.name, `${text} Trying on${where}.`);
    },
    over(partitionId) {
      if (told.size === 0) return;
      for (const [text, { partitions }] of told) {
        partitions.delete(partitionId);
        partitions.delete('');
        if (partitions.size === 0) told.delete(text);
      }
      if (told.size === 0) log('info', target.name, `Event hub "${target.connection.eventHubName}" can be read again.`);
    },
  };
}

interface Failure {
  readonly name?: string;
  readonly code?: string;
  readonly statusCode?: number;
  readonly message?: string;
  readonly errors?: readonly unknown[];
}

/**
 * What is wrong, and what to do, in one line without secrets. What services say goes in only where nothing better is
 * known, for some quote signatures.
 */
export function troubleText(error: unknown, { connection, consumerGroup }: EventHubFunction): string {
  const { name, code = '', statusCode, message = String(error) } = lastOf(error);
  const hub = `event hub "${connection.eventHubName}"`;
  if (name === 'RestError') {
    const reason = [code, statusCode && `HTTP ${statusCode}`].filter(Boolean).join(', ');
    return `The positions of ${hub} in AzureWebJobsStorage cannot be read or written: ${reason}.`;
  }
  if (message.startsWith('Error occurred while fetching the list of blobs')) {
    return `The owners of the partitions of ${hub} cannot be read from AzureWebJobsStorage.`;
  }
  if (code === 'UnauthorizedError') {
    return `Access to ${hub} is refused: "${connection.settingName}" needs a valid key with the right Listen, or an identity with that right.`;
  }
  if (code === 'MessagingEntityNotFoundError') {
    return `There is no ${hub} with consumer group "${consumerGroup}" where "${connection.settingName}" leads.`;
  }
  if (isRefusedPosition(error)) {
    return `The stored position in ${hub} is refused: the event hub is another, as after a failover. To begin anew, delete the blobs of its positions in container azure-webjobs-eventhub.`;
  }
  if (code === 'ReceiverDisconnectedError') {
    return `Another reader has taken over in consumer group "${consumerGroup}" of ${hub}.`;
  }
  const network = /\b(E[A-Z]{4,}[A-Z_]*)\b/.exec(`${code} ${message}`)?.[1];
  if (network !== undefined) {
    return `The namespace of ${hub} cannot be reached (${network}): look at "${connection.settingName}".`;
  }
  return `Reading ${hub} failed: ${[code, firstLine(message)].filter((part) => part !== '').join(': ')}`;
}

/** Whether a partition cannot be read from where it is to be read: it may be so for one of them alone, and for long. */
export function isRefusedPosition(error: unknown): boolean {
  const { code } = lastOf(error);
  return code === 'ArgumentOutOfRangeError' || code === 'ArgumentError';
}

/** Retries that failed come as a bundle; the last one counts. */
function lastOf(error: unknown): Failure {
  const failure = (typeof error === 'object' && error !== null ? error : {}) as Failure;
  const last = failure.errors?.at(-1);
  return last === undefined ? failure : lastOf(last);
}

/** Without what differs at each try. */
function firstLine(message: string): string {
  const [line = ''] = redactCredentials(message).split(/\r?\n|\s*(?:TrackingId|Reference|Tracking ID|Timestamp):/);
  const text = line.trim().slice(0, 300);
  return text === '' || text.endsWith('.') ? text : `${text}.`;
}
