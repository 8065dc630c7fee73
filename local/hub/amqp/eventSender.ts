import type { Socket } from 'node:net';
import type { Message, Sender } from 'rhea';
import type { EventLog } from '../events/eventLog.ts';
import type { LoggedEvent } from '../events/partitionTable.ts';
import { creditOf, isWritten, sendSettled } from './rheaParts.ts';

/** Sends a partition's events over a link, from the log, as the peer gives credit. */
export interface EventSender {
  /** Sequence number of the last event sent. */
  readonly position: number;
  /** There may be events, credit, or room. */
  wake(): void;
  /** Goes back by so many events. */
  rewind(events: number): void;
  stop(): void;
}

export interface EventSenderInput {
  readonly log: EventLog;
  readonly partition: number;
  readonly after: number;
  readonly sender: Sender;
  readonly socket: Socket;
  readonly messageOf: (event: LoggedEvent) => Message;
}

/** Read and written at once, before others have their turn. */
const EVENTS_AT_ONCE = 200;
/** Of payloads; bodies may be several times as long. */
const BYTES_AT_ONCE = 64 * 1024;
/** The peer's session takes nothing for now, and nothing tells when it does. */
const SESSION_WAIT_MS = 5;

/**
 * Nothing is held in memory for a peer that is slow: events stay in the log until there is credit, the session has written
 * what it was given, and the socket has room.
 */
export function createEventSender(input: EventSenderInput): EventSender {
  const { log, partition, sender, socket, messageOf } = input;
  let position = input.after;
  let isStopped = false;
  let isScheduled = false;
  let timer: NodeJS.Timeout | undefined;

  const wake = () => {
    if (isScheduled || isStopped) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      if (!isStopped) step();
    });
  };
  const step = () => {
    if (creditOf(sender) <= 0) return;
    if (socket.writableNeedDrain) {
      socket.off('drain', wake);
      socket.once('drain', wake);
      return;
    }
    if (!isWritten(sender.session)) {
      clearTimeout(timer);
      timer = setTimeout(wake, SESSION_WAIT_MS);
      return;
    }
    if (sendSome() > 0) wake();
  };
  const sendSome = (): number => {
    let sent = 0;
    let bytes = 0;
    socket.cork();
    for (const event of log.read(partition, position, Math.min(EVENTS_AT_ONCE, creditOf(sender)))) {
      sendSettled(sender, messageOf(event));
      position = event.sequence;
      sent += 1;
      bytes += event.payload.length;
      if (bytes >= BYTES_AT_ONCE) break;
    }
    // The frames are written in a tick that `send` has asked for.
    process.nextTick(() => socket.uncork());
    return sent;
  };

  return {
    get position() {
      return position;
    },
    wake,
    rewind: (events) => {
      position = Math.max(-1, position - events);
      wake();
    },
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
      socket.off('drain', wake);
    },
  };
}
