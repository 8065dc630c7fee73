import type { Socket } from 'node:net';
import rhea, { type EventContext, type Message, type Receiver, type Sender, type Session } from 'rhea';
import { HubError } from '../http/hubError.ts';
import { bareAddress, CBS, isSameName, MANAGEMENT } from './addresses.ts';
import { createClaims, tokenCovers } from './claims.ts';
import type { EndpointInput } from './endpointInput.ts';
import { type LinkError, notAllowed, unauthorized } from './linkError.ts';
import { manage, type NodeReply } from './managementNode.ts';
import { type OpenReceiver, openReceiver } from './openReceiver.ts';
import type { Receivers } from './receivers.ts';
import { accept, allowAnonymous, sendSettled } from './rheaParts.ts';

/** The longest wait that timers keep to. */
const MAX_WAIT_MS = 24 * 60 * 60 * 1000;

/** Serves one client until its socket closes. */
export function serveConnection(socket: Socket, input: EndpointInput, receivers: Receivers): void {
  const { log, audience } = input;
  const claims = createClaims(audience);
  const open = new Map<Sender, OpenReceiver>();
  let expiry: NodeJS.Timeout | undefined;

  const forget = (sender: Sender) => {
    const found = open.get(sender);
    if (found === undefined) return;
    open.delete(sender);
    found.events.stop();
    receivers.remove(found.receiver);
  };
  const end = (sender: Sender, error: LinkError) => {
    forget(sender);
    sender.close(error);
  };
  const attach = (sender: Sender, address: string): LinkError | undefined => {
    const found = openReceiver({ input, claims, socket, sender, address, end: (error) => end(sender, error) });
    if ('condition' in found) return found;
    const refused = receivers.admit(found.receiver);
    if (refused === undefined) open.set(sender, found);
    return refused;
  };
  const endExpired = () => {
    for (const [sender, { address }] of [...open]) {
      if (!claims.cover(address)) end(sender, unauthorized('The token of the receiver has expired.'));
    }
    watchExpiry();
  };
  const watchExpiry = () => {
    clearTimeout(expiry);
    const next = claims.nextExpiryMs();
    if (next === undefined) return;
    // A timer may fire a little early.
    const waitMs = Math.min(MAX_WAIT_MS, Math.max(0, next - audience.now()) + 5);
    expiry = setTimeout(endExpired, waitMs).unref();
  };
  const answer = (address: string, request: Message): NodeReply => {
    const properties = request.application_properties ?? {};
    if (address === MANAGEMENT) {
      const token = properties.security_token;
      const isAllowed = (entity: string) =>
        token === undefined ? claims.cover(`${entity}/${MANAGEMENT}`) : tokenCovers(audience, token, entity);
      return manage(log, request, isAllowed);
    }
    if (properties.operation !== 'put-token') return { status: 400, description: 'Only put-token is served here.' };
    try {
      claims.put(request.body, properties.type);
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      return { status: error.status, description: error.message, condition: 'amqp:unauthorized-access' };
    }
    watchExpiry();
    return { status: 202, description: 'Accepted' };
  };

  const container = rhea.create_container({ id: input.hubName });
  allowAnonymous(container);
  // The peer receives.
  container.on('sender_open', ({ sender }: Required<EventContext>) => {
    const address = bareAddress(sender.source?.address);
    sender.set_source(sender.source ?? { address });
    sender.set_target(sender.target ?? { address: '' });
    if (isNode(address)) return;
    const refused = attach(sender, address);
    if (refused !== undefined) sender.close(refused);
  });
  // The peer sends.
  container.on('receiver_open', ({ receiver }: Required<EventContext>) => {
    const address = bareAddress(receiver.target?.address);
    receiver.set_source(receiver.source ?? { address: '' });
    receiver.set_target({ address });
    if (!isNode(address)) receiver.close(notAllowed('Nobody but the hub sends events.'));
  });
  container.on('message', ({ message, receiver }: Required<EventContext>) => {
    const address = bareAddress(receiver.target?.address).toLowerCase();
    // An acknowledgement of the answer would hold the client's next request back until TCP has acknowledged it, in turn.
    const link = replyLink(receiver, address, message);
    if (link !== undefined) sendSettled(link, replyMessage(message, answer(address, message)));
  });
  container.on('sendable', ({ sender }: Required<EventContext>) => open.get(sender)?.events.wake());
  container.on('sender_draining', ({ sender }: Required<EventContext>) => open.get(sender)?.events.wake());
  container.on('sender_close', ({ sender }: Required<EventContext>) => forget(sender));
  container.on('session_close', ({ session }: { session: Session }) => {
    for (const sender of [...open.keys()]) if (sender.session === session) forget(sender);
  });
  // What a client does wrong ends its connection, and nothing else.
  for (const event of ['protocol_error', 'error']) {
    container.on(event, () => socket.destroy(new Error('The client does not keep to AMQP.')));
  }
  for (const event of ['disconnected', 'connection_error', 'session_error', 'sender_error', 'receiver_error']) {
    container.on(event, () => undefined);
  }
  socket.on('close', () => {
    clearTimeout(expiry);
    for (const sender of [...open.keys()]) forget(sender);
  });
  accept(container, socket);
}

function isNode(address: string): boolean {
  return isSameName(address, CBS) || isSameName(address, MANAGEMENT);
}

/** The link of the same session by which a node's answers go back. */
function replyLink({ session }: Receiver, address: string, { reply_to: replyTo }: Message): Sender | undefined {
  const answers = (link: Sender) => link.is_sender() && isSameName(bareAddress(link.source?.address), address);
  const find = (isRight: (link: Sender) => boolean) =>
    session.find_sender((link: Sender) => answers(link) && isRight(link)) as Sender | undefined;
  return find((link) => link.name === replyTo || link.target?.address === replyTo) ?? find(() => true);
}

function replyMessage(request: Message, { status, description, condition, body }: NodeReply): Message {
  return {
    ...(request.reply_to !== undefined && { to: request.reply_to }),
    ...(request.message_id !== undefined && { correlation_id: request.message_id }),
    application_properties: {
      'status-code': status,
      'status-description': description,
      ...(condition !== undefined && { 'error-condition': condition }),
    },
    body: body ?? '',
  };
}
