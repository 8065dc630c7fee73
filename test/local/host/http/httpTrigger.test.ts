import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HostProcess, startHost } from '../../../helpers/hostProcess.ts';
import { fixtureApp } from '../notes.ts';

describe('the HTTP trigger', () => {
  let host: HostProcess;
  beforeAll(async () => {
    host = await startHost(fixtureApp('http-esm'), { env: { 'AzureWebJobs.bytes.Disabled': 'true' } });
  });
  afterAll(async () => {
    expect(await host.stop()).toBe(0);
  });

  const get = (path: string, init?: RequestInit) => fetch(`${host.apiUrl}/${path}`, init);

  test('gives the handler method, address, query, headers and the bytes of the body', async () => {
    const response = await get('echo?a=1&a=2&empty=', {
      method: 'POST',
      body: new Uint8Array([0, 1, 255]),
      headers: { 'X-Custom': 'seen', 'content-type': 'application/x-thing' },
    });
    expect(response.status).toBe(201);
    expect(response.headers.get('x-seen')).toBe('seen');
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({
      method: 'POST',
      url: `${host.apiUrl}/echo?a=1&a=2&empty=`,
      query: { a: '1,2', empty: '' },
      contentType: 'application/x-thing',
      bodyHex: '0001ff',
    });
  });

  test('gives no body when the request has no length, as the real host does', async () => {
    const bodyHex = await new Promise<unknown>((resolve, reject) => {
      const sent = request(`${host.apiUrl}/echo`, { method: 'POST' }, async (response) => {
        const parts: Buffer[] = [];
        for await (const part of response) {
          parts.push(part as Buffer);
        }
        resolve((JSON.parse(Buffer.concat(parts).toString()) as { bodyHex: string }).bodyHex);
      });
      sent.on('error', reject);
      sent.write('in pieces');
      sent.end();
    });
    expect(bodyHex).toBe('');
  });

  test('answers HEAD with headers alone, where the function takes HEAD', async () => {
    const response = await get('echo', { method: 'HEAD' });
    expect(response.status).toBe(201);
    expect(response.headers.get('x-seen')).toBe('none');
    expect(await response.text()).toBe('');
    expect((await get('nothing', { method: 'HEAD' })).status).toBe(404);
  });

  test('sets cookies one by one', async () => {
    expect((await get('cookies')).headers.getSetCookie()).toEqual([
      'a=1; path=/; samesite=strict; httponly',
      'b=x%20y; max-age=60; secure',
    ]);
  });

  test('answers 204 for a handler that returns nothing', async () => {
    expect((await get('nothing')).status).toBe(204);
  });

  for (const name of ['throws', 'badReturn']) {
    test(`answers 500 without a body when the handler fails (${name}), and logs the reason`, async () => {
      const response = await get(name);
      expect(response.status).toBe(500);
      expect(await response.text()).toBe('');
      await host.log.waitFor((text) => text.includes(`[${name}] Executed (failed`), 'log line');
    });
  }

  test('fails an invocation that takes longer than functionTimeout', async () => {
    expect((await get('slow')).status).toBe(500);
    await host.log.waitFor((text) => text.includes('Timeout value of 2 s exceeded by function "slow"'), 'log line');
  });

  test('refuses a body over 100 MB', async () => {
    const response = await get('echo', { method: 'POST', body: Buffer.alloc(100 * 1024 * 1024 + 1) }).catch(
      () => undefined,
    );
    // The host closes without reading on, which some clients see as a broken connection.
    expect(response?.status ?? 413).toBe(413);
    expect((await get('echo')).status).toBe(201);
  });

  const routes: { path: string; method?: string; status: number; answer?: unknown }[] = [
    { path: 'devices/12', status: 200, answer: { name: 'device', params: { id: '12' } } },
    { path: 'devices/abc', status: 200, answer: { name: 'deviceByName', params: { name: 'abc' } } },
    { path: 'devices/list', status: 200, answer: { name: 'deviceList', params: {} } },
    { path: 'Devices/LIST/', status: 200, answer: { name: 'deviceList', params: {} } },
    { path: 'devices/12', method: 'DELETE', status: 200, answer: { name: 'removeDevice', params: { id: '12' } } },
    { path: 'devices/12', method: 'PUT', status: 404 },
    { path: 'parts/1', status: 200, answer: { name: 'part', params: { id: '1' } } },
    { path: 'parts/1/2', status: 200, answer: { name: 'part', params: { id: '1', part: '2' } } },
    { path: 'parts/1/2/3', status: 404 },
    { path: 'files', status: 200, answer: { name: 'files', params: {} } },
    { path: 'files/a/b%20c', status: 200, answer: { name: 'files', params: { rest: 'a/b c' } } },
    { path: 'unknown', status: 404 },
    { path: '../echo', status: 404 },
    { path: 'bytes', status: 404 },
  ];
  for (const { path, method = 'GET', status, answer } of routes) {
    test(`${method} ${path} is ${status}`, async () => {
      const response = await get(path, { method });
      expect(response.status).toBe(status);
      if (answer !== undefined) {
        expect(await response.json()).toEqual(answer);
      }
    });
  }

  test('leaves out disabled functions', () => {
    expect(host.functions).toContain('echo');
    expect(host.functions).not.toContain('bytes');
  });

  test('asks nobody for a key, as Core Tools', async () => {
    for (const name of ['forAll', 'forKeys', 'forAdmin']) {
      expect((await get(name)).status).toBe(200);
    }
  });

  test('has the host status and ping', async () => {
    expect(await (await fetch(`${host.adminUrl}/host/status`)).json()).toMatchObject({ state: 'Running' });
    expect((await fetch(`${host.adminUrl}/host/ping`)).status).toBe(200);
    expect((await fetch(`${host.adminUrl}/nothing`)).status).toBe(404);
  });

  test('starts only timers by hand', async () => {
    const start = (name: string) => fetch(`${host.adminUrl}/functions/${name}`, { method: 'POST', body: '{}' });
    expect((await start('echo')).status).toBe(400);
    expect((await start('unknown')).status).toBe(404);
  });
});

describe('with --enable-auth', () => {
  let host: HostProcess;
  let data: string;
  let keys: {
    masterKey: string;
    functionKeys: { default: string };
    systemKeys: { durabletask_extension: string; blobs_extension: string };
    functions: Record<string, { default: string }>;
  };
  const start = async () => startHost(fixtureApp('http-esm'), { args: ['--enable-auth'], data });
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'keys-'));
    host = await start();
    keys = JSON.parse(await readFile(join(data, 'keys.json'), 'utf8')) as typeof keys;
  });
  afterAll(async () => {
    await host.stop();
    await rm(data, { recursive: true });
  });

  async function status(name: string, key: string | undefined): Promise<[byHeader: number, byCode: number]> {
    const url = `${host.apiUrl}/${name}`;
    const byHeader = await fetch(url, key === undefined ? {} : { headers: { 'x-functions-key': key } });
    const byCode = await fetch(key === undefined ? url : `${url}?code=${encodeURIComponent(key)}`);
    return [byHeader.status, byCode.status];
  }

  test('anonymous functions need no key', async () => {
    expect(await status('forAll', undefined)).toEqual([200, 200]);
  });

  test('function-level functions take their own key, a host key and the master key', async () => {
    expect(await status('forKeys', keys.functions['forKeys']?.default)).toEqual([200, 200]);
    expect(await status('forKeys', keys.functionKeys.default)).toEqual([200, 200]);
    expect(await status('forKeys', keys.masterKey)).toEqual([200, 200]);
    expect(await status('forKeys', keys.functions['forAdmin']?.default)).toEqual([401, 401]);
    expect(await status('forKeys', 'wrong')).toEqual([401, 401]);
    expect(await status('forKeys', undefined)).toEqual([401, 401]);
  });

  test('admin-level functions take the master key alone', async () => {
    expect(await status('forAdmin', keys.masterKey)).toEqual([200, 200]);
    expect(await status('forAdmin', keys.functionKeys.default)).toEqual([401, 401]);
    expect(await status('forAdmin', keys.functions['forAdmin']?.default)).toEqual([401, 401]);
  });

  test('a wrong header is not made good by a right code, and 401 has no body', async () => {
    const response = await fetch(`${host.apiUrl}/forKeys?code=${keys.masterKey}`, {
      headers: { 'x-functions-key': 'no' },
    });
    expect(response.status).toBe(401);
    expect(await response.text()).toBe('');
  });

  test('the status needs the master key, the ping none', async () => {
    expect((await fetch(`${host.adminUrl}/host/status`)).status).toBe(401);
    expect((await fetch(`${host.adminUrl}/host/status?code=${keys.masterKey}`)).status).toBe(200);
    expect((await fetch(`${host.adminUrl}/host/ping`)).status).toBe(200);
  });

  test('webhooks of extensions need their system key, except on the loopback RPC address', async () => {
    const { durabletask_extension: durable, blobs_extension: blobs } = keys.systemKeys;
    const status = async (path: string, code: string) => (await fetch(`${host.baseUrl}${path}?code=${code}`)).status;
    expect(await status('/runtime/webhooks/durabletask/instances/x', blobs)).toBe(401);
    expect(await status('/runtime/webhooks/durabletask/instances/x', durable)).toBe(404);
    expect(await status('/durabletask/instances/x', 'none')).toBe(404);
    expect(await status('/runtime/webhooks/blobs', durable)).toBe(401);
    expect(await status('/runtime/webhooks/blobs', blobs)).toBe(404);
  });

  test('keys stay the same over a restart', async () => {
    await host.stop();
    host = await start();
    expect(await status('forKeys', keys.functions['forKeys']?.default)).toEqual([200, 200]);
  });
});

test('a stop lets a running request end and takes no new one', async () => {
  const host = await startHost(fixtureApp('http-esm'), { args: ['--log-level', 'debug'] });
  const running = fetch(`${host.apiUrl}/slow`);
  await host.log.waitFor((text) => text.includes('[slow] Executing'), 'start of the function');
  const code = host.stop();
  await host.log.waitFor((text) => text.includes('SIGTERM: stopping.'), 'begin of the stop');
  await expect(fetch(`${host.apiUrl}/forAll`)).rejects.toThrow();
  expect((await running).status).toBe(500);
  expect(await code).toBe(0);
});

test('WEBSITE_HOSTNAME and local.settings.json reach the app; the environment comes before the file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'app-'));
  try {
    await cp(fixtureApp('http-esm'), directory, { recursive: true });
    await symlink(fileURLToPath(new URL('../../../../node_modules', import.meta.url)), join(directory, 'node_modules'));
    const values = { Values: { FROM_FILE: 'file', FROM_BOTH: 'file' } };
    await writeFile(join(directory, 'local.settings.json'), JSON.stringify(values));
    const host = await startHost(directory, { env: { FROM_BOTH: 'environment' } });
    try {
      expect(await (await fetch(`${host.apiUrl}/hostname`)).text()).toBe(
        `${new URL(host.baseUrl).host} file environment`,
      );
    } finally {
      await host.stop();
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});
