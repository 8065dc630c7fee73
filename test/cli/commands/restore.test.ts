import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';

import { expect, it } from 'vitest';

import type { Connection } from '../../../cli/app/connection.ts';
import { demandWorthwhile, showPlan } from '../../../cli/commands/restore.ts';
import type { Output } from '../../../cli/render/output.ts';

it('Ctrl-C while the plan is made ends as any other Ctrl-C', async () => {
  const api = createServer((_request, response) => response.end('{"runId":"0123456789abcdef0123"}'));
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  const controller = new AbortController();
  const runs = { read: async () => controller.abort() };
  const connection = { api: { url }, runs, command: String } as unknown as Connection;
  const output = { stderr: new PassThrough(), note: () => undefined } as unknown as Output;
  await expect(showPlan(connection, {}, output, controller.signal)).rejects.toMatchObject({ exitCode: 130 });
  api.close();
});

it('what the app would refuse is not asked to be confirmed', () => {
  const lost = { generationIds: 0, reportedProperties: 0, keys: 0 };
  const notFound = { code: 'onlyNotFound', message: 'No device: x.', action: 'Check it.', names: ['x'] } as const;
  demandWorthwhile({ lost }, false);
  demandWorthwhile({ lost: { ...lost, keys: 2 } }, true);
  demandWorthwhile({ lost, notFound: { ...notFound, all: false } }, false);
  expect(() => demandWorthwhile({ lost, notFound: { ...notFound, all: true } }, false)).toThrow(
    'No device: x. Nothing',
  );
  expect(() => demandWorthwhile({ lost: { ...lost, keys: 2 } }, false)).toThrow(
    expect.objectContaining({ exitCode: 2, action: expect.stringContaining('--new-keys') }),
  );
});
