import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';

import { expect, it } from 'vitest';

import type { Connection } from '../../../cli/app/connection.ts';
import { showPlan } from '../../../cli/commands/restore.ts';
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
