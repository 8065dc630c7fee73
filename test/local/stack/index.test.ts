/** The real parts, as processes of their own, with a small app in the host. */

import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import {
  findRunningStack,
  projectRoot,
  type Stack,
  type StackOptions,
  startStack,
} from '../../../local/stack/index.ts';
import { isAlive } from '../../../local/stack/processIdentity.ts';

let folder: string;
let app: string;
const stacks: Stack[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'stack-'));
  app = join(folder, 'app');
  mkdirSync(app);
  symlinkSync(join(projectRoot(), 'node_modules'), join(app, 'node_modules'));
  writeFileSync(join(app, 'package.json'), '{ "name": "small-app", "type": "module", "main": "settings.js" }');
  writeFileSync(join(app, 'host.json'), '{ "version": "2.0" }');
  writeFileSync(
    join(app, 'settings.js'),
    `import { app } from '@azure/functions';
     app.http('settings', {
       methods: ['GET'],
       authLevel: 'function',
       handler: () => ({ jsonBody: { ...process.env, pid: process.pid } }),
     });`,
  );
});

afterAll(async () => {
  const leaked = stacks.filter((stack) => Object.keys(stack.pids()).length > 0);
  await Promise.all(leaked.map((stack) => stack.stop()));
  rmSync(folder, { recursive: true });
  expect(leaked.map(({ data }) => data)).toEqual([]);
});

async function start(name: string, options: Partial<StackOptions> = {}): Promise<Stack> {
  const stack = await startStack({ data: join(folder, name), app, ...options });
  stacks.push(stack);
  return stack;
}

/** The environment of the app, and its process id. */
async function settingsOf(stack: Stack, key = ''): Promise<Record<string, unknown>> {
  const response = await fetch(`${stack.apiUrl}/settings`, { headers: key === '' ? {} : { 'x-functions-key': key } });
  return { status: response.status, ...(response.ok ? ((await response.json()) as object) : {}) };
}

let first: Stack;

test('a stack brings up all parts, and leaves no process behind', async () => {
  first = await start('one');
  expect(Object.keys(first.pids())).toEqual(['azurite', 'hub', 'host']);

  const settings = await settingsOf(first);
  expect(settings).toMatchObject({
    AzureWebJobsStorage: first.storageConnectionString,
    HUBKEEPER_STORAGE: first.storageConnectionString,
    IOTHUB: first.connectionString,
    MIRROR_EVENTS: first.eventsConnectionString,
    BLOB_BINDING: 'reference',
    pid: first.pids().host,
  });
  const routes = await (await fetch(`${first.hubAdminUrl}/options`)).json();
  expect(routes).toMatchObject({ lifecycleEvents: true, twinEvents: true, jobEvents: false });
  const storage = BlobServiceClient.fromConnectionString(first.storageConnectionString);
  const containers: string[] = [];
  for await (const { name } of storage.listContainers()) containers.push(name);
  expect(containers).toEqual(expect.arrayContaining(['hubkeeper-runs', 'provision', 'provision-results']));
  await storage.getContainerClient('provision').getBlockBlobClient('kept.txt').upload('x', 1);

  expect(findRunningStack(first.data)).toMatchObject({
    storageConnectionString: first.storageConnectionString,
    connectionString: first.connectionString,
    apiUrl: first.apiUrl,
    supervisor: { pid: process.pid },
  });
  await expect(start('one')).rejects.toThrow(
    `A local stack is already running on ${first.data} (process ${process.pid})`,
  );

  const pids = Object.values(first.pids());
  await first.stop();
  expect(pids.filter((pid) => isAlive({ pid }))).toEqual([]);
  expect(findRunningStack(first.data)).toBeUndefined();
  for (const log of Object.values(first.logs)) {
    const text = readFileSync(log, 'utf8');
    for (const secret of [first.connectionString, first.storageConnectionString]) expect(text).not.toContain(secret);
  }
});

describe('started again on the same data', () => {
  let stack: Stack;

  beforeAll(async () => {
    stack = await start('one', { enableAuth: true, settings: { HELLO: 'you' } });
  });

  afterAll(async () => {
    await stack.stop();
  });

  test('it has its data, ports and keys again', async () => {
    expect(stack.ports).toEqual(first.ports);
    expect(stack.connectionString).toBe(first.connectionString);
    const storage = BlobServiceClient.fromConnectionString(stack.storageConnectionString);
    expect(await storage.getContainerClient('provision').getBlockBlobClient('kept.txt').exists()).toBe(true);
  });

  test('the key that it names opens the API', async () => {
    expect(await settingsOf(stack)).toEqual({ status: 401 });
    expect(await settingsOf(stack, stack.apiKey)).toMatchObject({ status: 200, HELLO: 'you' });
  });

  test('another one runs beside it, though a port is taken from it at the last moment', async () => {
    const thief = createServer();
    mkdirSync(join(folder, 'two'));
    thief.listen(0, '127.0.0.1');
    await once(thief, 'listening');
    const { port } = thief.address() as AddressInfo;
    thief.close();
    const remembered = { version: 1, ready: false, supervisor: { pid: 1 }, parts: {}, ports: { api: port } };
    writeFileSync(join(folder, 'two', 'stack.json'), JSON.stringify(remembered));

    const tried: string[] = [];
    const other = await start('two', {
      onStarting: (part) => {
        tried.push(part);
        if (part === 'host' && !thief.listening) thief.listen(port, '127.0.0.1');
      },
    });
    thief.close();
    expect(tried).toEqual(['azurite', 'hub', 'host', 'azurite', 'hub', 'host']);
    expect(other.ports.api).not.toBe(port);
    expect(new Set([...Object.values(stack.ports), ...Object.values(other.ports)]).size).toBe(14);
    expect(await settingsOf(other)).toMatchObject({ IOTHUB: other.connectionString });
    await other.stop();
  });

  test('a port that is asked for and taken is refused by its flag, before anything is started', async () => {
    const tried: string[] = [];
    const ports = { api: stack.ports.api };
    await expect(start('three', { ports, onStarting: (part) => tried.push(part) })).rejects.toMatchObject({
      message: `Port ${stack.ports.api} is taken.`,
      action: 'Choose another with --port-api, or leave that out.',
    });
    expect(tried).toEqual([]);
  });

  test('the host can be killed and started again with other settings, at the same address', async () => {
    const before = stack.pids();
    await stack.killHost();
    expect(stack.pids()).toEqual({ azurite: before.azurite, hub: before.hub });
    expect(findRunningStack(stack.data)).toMatchObject({ parts: { azurite: { pid: before.azurite } } });
    await stack.restartHost({ settings: { HELLO: 'again' } });
    expect(await settingsOf(stack, stack.apiKey)).toMatchObject({ HELLO: 'again', pid: stack.pids().host });
    expect(stack.pids().host).not.toBe(before.host);
  });

  test('a part that ends by itself is told with its last words', async () => {
    const hub = stack.pids().hub ?? 0;
    process.kill(hub, 'SIGKILL');
    const error = await stack.broken;
    expect(error.message).toContain('The hub simulator ended by itself (signal SIGKILL). Its last words:');
    expect(error.action).toContain(stack.logs.hub);
    expect(Object.keys(stack.pids())).toEqual(['azurite', 'host']);
  });
});
