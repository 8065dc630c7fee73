import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HostProcess, startHost } from '../../../helpers/hostProcess.ts';

const app = fileURLToPath(new URL('../../../fixtures/apps/durable-client', import.meta.url));

async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method: 'POST', body: JSON.stringify(body), headers });
}

describe('The host with a durable client in the app', () => {
  let host: HostProcess;

  beforeAll(async () => {
    host = await startHost(app);
  });

  afterAll(async () => {
    expect(await host.stop()).toBe(0);
  });

  it('answers a start with URLs of its own that lead to the result', async () => {
    const response = await post(`${host.apiUrl}/start/greeting`, 'Ada');
    expect(response.status).toBe(202);
    expect(response.headers.get('retry-after')).toBe('10');
    const { statusQueryGetUri } = (await response.json()) as { statusQueryGetUri: string };
    expect(statusQueryGetUri).toMatch(
      new RegExp(`^${host.baseUrl}/runtime/webhooks/durabletask/instances/[0-9a-f]{32}\\?taskHub=ClientHub&`),
    );
    await expect
      .poll(async () => (await fetch(statusQueryGetUri)).json())
      .toMatchObject({ runtimeStatus: 'Completed', output: 'Hello Ada' });
  });

  it('lets the client wait for the result', async () => {
    const response = await post(`${host.apiUrl}/run/greeting`, 'Grace');
    expect([response.status, await response.json()]).toEqual([200, 'Hello Grace']);
  });

  async function resultOf(name: string): Promise<{ readonly runtimeStatus: string; readonly output: unknown }> {
    const response = await post(`${host.apiUrl}/start/${name}`, null);
    const { statusQueryGetUri } = (await response.json()) as { statusQueryGetUri: string };
    for (;;) {
      const status = await fetch(statusQueryGetUri);
      if (status.status === 200) {
        return (await status.json()) as { readonly runtimeStatus: string; readonly output: unknown };
      }
      await status.arrayBuffer();
      await pause(20);
    }
  }

  it('runs as many activities at a time as host.json allows', async () => {
    expect(await resultOf('crowded')).toMatchObject({ runtimeStatus: 'Completed', output: 3 });
  });

  it('counts an activity that exceeds functionTimeout as failed', async () => {
    expect(await resultOf('slow')).toMatchObject({
      runtimeStatus: 'Failed',
      output: expect.stringContaining("Activity function 'tooSlow' failed: Timeout value of 6 s exceeded"),
    });
  });
});

describe('The host with authorization', () => {
  it('asks for the key of the extension, and puts it into the URLs that it hands out', async () => {
    const data = await mkdtemp(join(tmpdir(), 'durable-auth-'));
    const host = await startHost(app, { args: ['--enable-auth'], data });
    try {
      const keys = JSON.parse(await readFile(join(data, 'keys.json'), 'utf8')) as { masterKey: string };
      const webhook = `${host.baseUrl}/runtime/webhooks/durabletask/instances`;
      expect((await fetch(webhook)).status).toBe(401);
      expect((await fetch(`${webhook}?code=wrong`)).status).toBe(401);
      const response = await post(`${host.apiUrl}/start/greeting`, 'Ada', { 'x-functions-key': keys.masterKey });
      expect(response.status).toBe(202);
      const { statusQueryGetUri } = (await response.json()) as { statusQueryGetUri: string };
      await expect
        .poll(async () => (await fetch(statusQueryGetUri)).json())
        .toMatchObject({ runtimeStatus: 'Completed', output: 'Hello Ada' });
    } finally {
      expect(await host.stop()).toBe(0);
      await rm(data, { recursive: true, force: true });
    }
  });
});
