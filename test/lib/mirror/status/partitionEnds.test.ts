import { type AddressInfo, createServer } from 'node:net';

import { expect, test } from 'vitest';

import { startHub } from '../../../../local/hub/index.ts';
import type { EventSource } from '../../../../src/lib/mirror/mirrorSettings.ts';
import { namespaceOf, readEndsBy } from '../../../../src/lib/mirror/status/partitionEnds.ts';
import { hubRest } from '../../../helpers/hubRest.ts';

const noCredential = () => {
  throw new Error('no identity in this test');
};

function sourceOf(connectionString: string, eventHub: string): EventSource {
  const connection = { kind: 'connectionString', connectionString } as const;
  return { connectionName: 'MIRROR_EVENTS', connection, eventHub, consumerGroup: '$Default' };
}

test('a namespace tells where its partitions end', async () => {
  const hub = await startHub({ eventPartitions: 2, eventHubName: 'lifecycle', lifecycleEvents: true });
  try {
    const source = sourceOf(hub.eventsConnectionString, 'lifecycle');
    const read = readEndsBy(noCredential);
    const before = await read(source);
    expect(before).toMatchObject({
      ends: [
        { partition: '0', isEmpty: true },
        { partition: '1', isEmpty: true },
      ],
    });
    const rest = hubRest(hub.connectionString);
    for (const deviceId of ['a', 'b', 'c', 'd', 'e']) await rest('PUT', `/devices/${deviceId}`, { deviceId });
    const after = await read(source);
    if (!('ends' in after)) throw new Error(after.problem);
    const events = after.ends.map(({ isEmpty, firstSequence, lastSequence }) =>
      isEmpty ? 0 : lastSequence - firstSequence + 1,
    );
    expect(events.reduce((sum, count) => sum + count)).toBe(5);
    expect(after.ends.every(({ isEmpty, lastEnqueuedAt }) => isEmpty === (lastEnqueuedAt === undefined))).toBe(true);
    const wrong = hub.eventsConnectionString.replace(/SharedAccessKey=[^;]+/, 'SharedAccessKey=d3Jvbmc=');
    const refused = await read(sourceOf(wrong, 'lifecycle'));
    expect(refused).toMatchObject({ problem: expect.any(String) });
    expect(JSON.stringify(refused)).not.toContain('d3Jvbmc');
  } finally {
    await hub.close();
  }
});

test('a namespace that takes the connection and never answers is told, soon', async () => {
  const server = createServer((socket) => void socket.on('error', () => undefined));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const text = `Endpoint=sb://127.0.0.1:${port};SharedAccessKeyName=a;SharedAccessKey=Yg==;UseDevelopmentEmulator=true`;
  const source = sourceOf(text, 'events');
  expect(await readEndsBy(noCredential, 200)(source)).toEqual({
    namespace: '127.0.0.1',
    problem: 'no answer within 0.2 s',
  });
  server.close();
});

test('a namespace that is not there is told', async () => {
  const text = 'Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=a;SharedAccessKey=Yg==;UseDevelopmentEmulator=true';
  expect(await readEndsBy(noCredential)(sourceOf(text, 'events'))).toMatchObject({
    problem: expect.stringMatching(/./),
  });
});

test('the namespace of a connection is its host', () => {
  const connectionString = 'Endpoint=sb://NS.servicebus.windows.net:5671/;SharedAccessKeyName=a;SharedAccessKey=Yg==';
  expect(namespaceOf(sourceOf(connectionString, 'e'))).toBe('ns.servicebus.windows.net');
  const identity = { kind: 'identity', fullyQualifiedNamespace: 'ns.servicebus.windows.net' } as const;
  expect(namespaceOf({ connection: identity })).toBe('ns.servicebus.windows.net');
});
