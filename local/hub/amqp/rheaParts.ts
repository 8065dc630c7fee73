/** What `rhea` has and its types lack. */

import type { Socket } from 'node:net';
import rhea, { type Connection, type Container, type Message, type Sender, type Session, type Typed } from 'rhea';

/** Deliveries that a session holds until they are written. */
export const SESSION_BUFFER = 2048;

/** The frame size of Event Hubs: longer messages go in several. */
const MAX_FRAME_BYTES = 65_536;

/** Serves AMQP on a socket. */
export function accept(container: Container, socket: Socket): Connection {
  const connection = container.create_connection({
    max_frame_size: MAX_FRAME_BYTES,
    session_buffer_size: SESSION_BUFFER,
  } as Parameters<Container['create_connection']>[0]);
  (connection as unknown as { accept(socket: Socket): void }).accept(socket);
  return connection;
}

/** Lets clients in without a password; their tokens come over `$cbs`. */
export function allowAnonymous(container: Container): void {
  const mechanisms = container.sasl_server_mechanisms as Record<string, unknown>;
  const anonymous = () => ({
    outcome: undefined as boolean | undefined,
    start() {
      this.outcome = true;
    },
  });
  mechanisms.ANONYMOUS = anonymous;
  mechanisms.MSSBCBS = anonymous;
}

/** How many messages the peer takes now. */
export function creditOf(sender: Sender): number {
  return (sender as unknown as { credit: number }).credit;
}

/** Sends what needs no acknowledgement: readers of an event stream keep their own checkpoint. */
export function sendSettled(sender: Sender, message: Message): void {
  (sender.send(message) as { settled: boolean }).settled = true;
}

/** Whether all that a session was given is written; with everything settled as it is sent, nothing else is held. */
export function isWritten(session: Session): boolean {
  const { outgoing } = session as unknown as { outgoing: { available(): number } };
  return outgoing.available() === SESSION_BUFFER;
}

export function long(value: number): Typed {
  return rhea.types.wrap_long(value);
}

export function timestamp(ms: number): Typed {
  return rhea.types.wrap_timestamp(ms);
}

export function stringArray(values: readonly string[]): Typed {
  return rhea.types.wrap_array([...values], STRING_CODE, undefined);
}

/** `str8-utf8` */
const STRING_CODE = 0xa1;
