import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { RegistryClient } from '../../../src/lib/registry/index.ts';
import { applyManagedBy } from '../../../src/lib/registryExtras/applyManagedBy.ts';
import type { ModuleExtra } from '../../../src/lib/registryExtras/extraLine.ts';
import { type ExtrasHub, limits, startExtrasHub, watched } from './extrasHub.ts';

let at: ExtrasHub;
let hub: RegistryClient;

beforeAll(async () => {
  at = await startExtrasHub();
  ({ hub } = at);
  await hub.createDevice({ deviceId: 'd' });
});
afterEach(() => at.faults());
afterAll(() => at.close());

const extra = (moduleId: string, managedBy: string | null, id = 'd'): ModuleExtra => ({
  kind: 'module',
  id,
  moduleId,
  eTag: 'of another hub',
  managedBy,
});

async function apply(extras: readonly ModuleExtra[], client = hub) {
  const { results, done } = await applyManagedBy(client, extras, 0, limits());
  expect(done).toBe(true);
  return results;
}

describe('who manages a module is set', () => {
  it('and the module keeps its keys', async () => {
    const made = await hub.createModule({ deviceId: 'd', moduleId: 'keyed' });
    expect(await apply([extra('keyed', 'iotEdge')])).toEqual([
      { what: 'managedBy', id: 'd', moduleId: 'keyed', outcome: 'succeeded' },
    ]);
    const now = await hub.getModule('d', 'keyed');
    expect(now?.managedBy).toBe('iotEdge');
    expect(now?.authentication).toEqual(made.authentication);
    expect(now?.authentication?.symmetricKey?.primaryKey).toMatch(/./);
  });

  it('also of one with a certificate, and cleared', async () => {
    const x509Thumbprint = { primaryThumbprint: 'A'.repeat(40), secondaryThumbprint: 'b'.repeat(40) };
    const authentication = { type: 'selfSigned', x509Thumbprint } as const;
    await hub.createModule({ deviceId: 'd', moduleId: 'x509', authentication, managedBy: 'me' });
    expect(await apply([extra('x509', null)])).toMatchObject([{ outcome: 'succeeded' }]);
    const now = await hub.getModule('d', 'x509');
    expect(now?.managedBy).toBeUndefined();
    expect(now?.authentication).toEqual(authentication);
  });

  it.each([
    ['me', 'me'],
    [undefined, null],
  ])('but not where it is so already: %s', async (managedBy, wanted) => {
    const moduleId = `same-${managedBy}`;
    const made = await hub.createModule({ deviceId: 'd', moduleId, ...(managedBy === undefined ? {} : { managedBy }) });
    expect(await apply([extra(moduleId, wanted)])).toMatchObject([{ outcome: 'unchanged' }]);
    expect((await hub.getModule('d', moduleId))?.etag).toBe(made.etag);
  });

  it('over a change in between, which is kept', async () => {
    await hub.createModule({ deviceId: 'd', moduleId: 'raced' });
    const key = Buffer.from('a key that was rotated just now').toString('base64');
    const symmetricKey = { primaryKey: key, secondaryKey: key };
    let rotated = false;
    const racing: RegistryClient = {
      ...hub,
      async getModule(deviceId, moduleId) {
        const read = await hub.getModule(deviceId, moduleId);
        if (!rotated) await hub.updateModule({ deviceId, moduleId, authentication: { type: 'sas', symmetricKey } });
        rotated = true;
        return read;
      },
    };
    expect(await apply([extra('raced', 'iotEdge')], racing)).toMatchObject([{ outcome: 'succeeded' }]);
    expect(await hub.getModule('d', 'raced')).toMatchObject({ managedBy: 'iotEdge', authentication: { symmetricKey } });
  });
});

describe('a module that cannot be set fails by itself', () => {
  it('when it or its device is not there, or the device disabled', async () => {
    await hub.createDevice({ deviceId: 'off' });
    await hub.createModule({ deviceId: 'off', moduleId: 'm' });
    await hub.updateDevice({ deviceId: 'off', status: 'disabled' });
    await hub.createModule({ deviceId: 'd', moduleId: 'good' });
    const extras = [
      extra('none', 'x'),
      extra('m', 'x', 'nobody'),
      extra('m', 'x', 'off'),
      extra('..', 'x'),
      extra('good', 'x'),
    ];
    expect((await apply(extras)).map(({ outcome, code }) => code ?? outcome)).toEqual([
      'moduleNotFound',
      'moduleNotFound',
      'deviceDisabled',
      'idNotAddressable',
      'succeeded',
    ]);
  });

  it.each([
    ['madeByDeployment', { type: 'none' }],
    ['keysNotShown', { type: 'sas' }],
    ['keysNotShown', undefined],
  ] as const)('rather than be given new keys: %s of %j', async (code, authentication) => {
    const calls: string[] = [];
    const shown: RegistryClient = {
      ...hub,
      async getModule(deviceId, moduleId) {
        return { deviceId, moduleId, etag: 'MQ==', ...(authentication === undefined ? {} : { authentication }) };
      },
    };
    expect(await apply([extra('m', 'x')], watched(shown, calls))).toMatchObject([{ outcome: 'failed', code }]);
    expect(calls).toEqual(['getModule']);
  });

  it('but trouble of the hub stops the step, and the next goes on', async () => {
    for (const moduleId of ['t1', 't2']) await hub.createModule({ deviceId: 'd', moduleId });
    const extras = [extra('t1', 'x'), extra('t2', 'x')];
    await at.faults({ operation: 'putModule', code: 'ServiceUnavailable', skip: 1, count: 3 });
    const first = await applyManagedBy(hub, extras, 0, limits());
    expect(first).toMatchObject({ position: 1, done: false, stoppedBy: { retryable: true } });
    expect(first.results).toMatchObject([{ moduleId: 't1', outcome: 'succeeded' }]);
    const second = await applyManagedBy(hub, extras, first.position, limits());
    expect(second).toMatchObject({ position: 2, done: true, results: [{ moduleId: 't2', outcome: 'succeeded' }] });
  });

  it('and a step works as many items as it may, with pauses between them', async () => {
    const extras = ['1', '2', '3'].map((name) => extra(`none${name}`, 'x'));
    const pauses: number[] = [];
    const sleep = async (ms: number) => void pauses.push(ms);
    const first = await applyManagedBy(hub, extras, 0, limits({ atMost: 2, pauseMs: 30, sleep }));
    expect(first).toMatchObject({ position: 2, done: false, results: [{}, {}] });
    expect(pauses).toEqual([30]);
    const until = new Date(0);
    expect(await applyManagedBy(hub, extras, 2, limits({ until }))).toEqual({ results: [], position: 2, done: false });
    expect(await applyManagedBy(hub, extras, 2, limits())).toMatchObject({ position: 3, done: true, results: [{}] });
  });
});
