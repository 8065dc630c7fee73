import { once } from 'node:events';
import { connect } from 'node:net';
import rhea, { type Connection, type EventContext, type Message } from 'rhea';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningHub, startHub } from '../../../../local/hub/index.ts';
import { consumer } from '../eventReader.ts';

let hub: RunningHub;
let connection: Connection;

beforeEach(async () => {
  hub = await startHub({ name: 'plant', lifecycleEvents: true });
  // A client that puts no token, which those of Event Hubs always do.
  connection = rhea
    .create_container()
    .connect({ host: '127.0.0.1', port: portOf(hub), username: 'any', reconnect: false });
  connection.on('disconnected', () => undefined);
  await once(connection, 'connection_open');
});

afterEach(async () => {
  connection.close();
  await hub.close();
});

const portOf = ({ eventsConnectionString }: RunningHub) => Number(/:(\d+)\//.exec(eventsConnectionString)?.[1]);

/** Why a link to an address is ended. */
async function refusalOf(address: string): Promise<string | undefined> {
  const link = connection.open_receiver(address);
  link.on('receiver_error', () => undefined);
  await once(link, 'receiver_close');
  return (link.error as { condition?: string } | undefined)?.condition;
}

async function ask(node: string, properties: Record<string, string>, body: unknown = ''): Promise<Message | undefined> {
  const answers = connection.open_receiver({ source: node, name: 'answers', target: { address: 'answers' } });
  const answered = once(answers, 'message') as Promise<[EventContext]>;
  const requests = connection.open_sender(node);
  await once(requests, 'sendable');
  requests.send({ message_id: 'one', reply_to: 'answers', application_properties: properties, body });
  const [{ message }] = await answered;
  return message;
}

describe('a connection without a token', () => {
  it.each([
    ['a partition', 'iothub-ehub-plant/ConsumerGroups/$Default/Partitions/0', 'amqp:unauthorized-access'],
    [
      'a partition by its absolute address',
      'sb://127.0.0.1/iothub-ehub-plant/ConsumerGroups/$Default/Partitions/0',
      'amqp:unauthorized-access',
    ],
    ['what is no partition', 'iothub-ehub-plant/messages', 'amqp:not-found'],
  ])('is refused %s', async (_, address, condition) => {
    expect(await refusalOf(address)).toBe(condition);
  });

  it('is told nothing of the hub', async () => {
    const answer = await ask('$management', {
      operation: 'READ',
      type: 'com.microsoft:eventhub',
      name: 'iothub-ehub-plant',
    });
    expect(answer).toMatchObject({
      correlation_id: 'one',
      to: 'answers',
      application_properties: { 'status-code': 401, 'error-condition': 'amqp:unauthorized-access' },
    });
  });
});

describe('$cbs', () => {
  it.each([
    ['a token of Entra ID', 'jwt', 'eyJ', /Tokens of type 'jwt' are not accepted here/],
    ['what is no token', 'servicebus.windows.net:sastoken', 'nonsense', /is not a SharedAccessSignature token/],
    ['no text', 'servicebus.windows.net:sastoken', { a: 1 }, /is missing/],
  ])('refuses %s', async (_, type, token, why) => {
    const answer = await ask('$cbs', { operation: 'put-token', type, name: 'sb://127.0.0.1/' }, token);
    expect(answer?.application_properties).toEqual({
      'status-code': 401,
      'status-description': expect.stringMatching(why),
      'error-condition': 'amqp:unauthorized-access',
    });
  });
});

describe('what is no AMQP', () => {
  it.each([
    ['another protocol', 'GET / HTTP/1.1\r\n\r\n'],
    ['a frame of nonsense', 'AMQP\0\x01\0\0\0\0\0\x0c\x02\0\0\0\x07\x07\x07\x07'],
  ])('such as %s ends its own connection only', async (_, bytes) => {
    const socket = connect(portOf(hub), '127.0.0.1');
    socket.on('error', () => undefined).resume();
    socket.write(Buffer.from(bytes, 'latin1'));
    await once(socket, 'close');
    const reader = consumer(hub.eventsConnectionString);
    expect(await reader.getPartitionIds()).toHaveLength(4);
    await reader.close();
  });
});
