import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { beginConfirmed } from '../../../cli/app/confirmedWork.ts';
import type { Connection } from '../../../cli/app/connection.ts';

vi.mock('../../../cli/app/askName.ts', () => ({ canAsk: () => true, askName: async (name: string) => name }));

let server: Server;
let bodies: Record<string, unknown>[];

beforeEach(async () => {
  bodies = [];
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    bodies.push(body);
    const isConfirmed = body['confirm'] === 'hub-1';
    response.statusCode = isConfirmed ? 202 : 409;
    response.end(JSON.stringify(isConfirmed ? { runId: 'r' } : { error: { code: 'notConfirmed', confirm: 'hub-1' } }));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
});
afterEach(() => {
  server.close();
});

it('what was shown is what is begun, not what the same words mean by then', async () => {
  const { port } = server.address() as AddressInfo;
  const connection = { api: { url: `http://127.0.0.1:${port}/api` } } as Connection;
  const work = {
    path: 'restores',
    body: { backup: 'latest', mode: 'exact' },
    confirm: undefined,
    doing: 'restoring',
    ask: async (hub: string) => `This restores into the hub ${hub}.`,
    shown: () => ({ backup: 'default/2026/11/20T020000Z' }),
    command: () => '',
  };
  await beginConfirmed(connection, work, { json: false }, new AbortController().signal);
  expect(bodies).toEqual([
    { backup: 'latest', mode: 'exact' },
    { backup: 'default/2026/11/20T020000Z', mode: 'exact', confirm: 'hub-1' },
  ]);
});
