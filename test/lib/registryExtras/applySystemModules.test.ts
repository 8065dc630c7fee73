import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { RegistryClient } from '../../../src/lib/registry/index.ts';
import { applySystemModules } from '../../../src/lib/registryExtras/applySystemModules.ts';
import type { SystemModulesPlan } from '../../../src/lib/registryExtras/systemModules.ts';
import { type ExtrasHub, limits, startExtrasHub, watched } from './extrasHub.ts';

let at: ExtrasHub;
let hub: RegistryClient;

const PLAN: SystemModulesPlan = {
  id: 'e',
  modules: [
    {
      moduleId: '$edgeAgent',
      tags: '{"rack":{"row":1}}',
      desired: '{"modules":{"m":{"version":"1.10"}},"10":1,"b":[1,{"c":2}]}',
    },
    { moduleId: '$edgeHub', desired: '{"routes":{}}' },
  ],
};

beforeAll(async () => {
  at = await startExtrasHub();
  ({ hub } = at);
});
beforeEach(async () => {
  if ((await hub.getDevice('e')) !== undefined) await hub.deleteDevice({ deviceId: 'e' });
  await hub.createDevice({ deviceId: 'e', capabilities: { iotEdge: true } });
});
afterEach(() => at.faults());
afterAll(() => at.close());

async function apply(plan = PLAN, client = hub) {
  const calls: string[] = [];
  const { results, done } = await applySystemModules(watched(client, calls), [plan], 0, limits());
  expect(done).toBe(true);
  return { results, writes: calls.filter((name) => name !== 'getTwin') };
}

async function twinOf(moduleId: string) {
  const twin = await hub.getTwin({ deviceId: 'e', moduleId });
  const { $metadata: _m, $version: _v, ...desired } = twin?.properties.desired ?? {};
  return { tags: twin?.tags, desired };
}

describe('the modules of an edge device', () => {
  it('get the content that they had, and their tags', async () => {
    const { results, writes } = await apply();
    expect(results).toEqual([{ what: 'systemModules', id: 'e', outcome: 'succeeded' }]);
    expect(writes).toEqual(['applyConfigurationContent', 'patchTwin']);
    expect(await twinOf('$edgeAgent')).toEqual({
      tags: { rack: { row: 1 } },
      desired: { modules: { m: { version: '1.10' } }, '10': 1, b: [1, { c: 2 }] },
    });
    expect((await twinOf('$edgeHub')).tags).toEqual({});
  });

  it('that have it already are left alone', async () => {
    await apply();
    const before = await hub.getTwin({ deviceId: 'e', moduleId: '$edgeAgent' });
    expect(await apply()).toEqual({ results: [{ what: 'systemModules', id: 'e', outcome: 'unchanged' }], writes: [] });
    expect((await hub.getTwin({ deviceId: 'e', moduleId: '$edgeAgent' }))?.etag).toBe(before?.etag);
    expect(await apply({ id: 'e', modules: PLAN.modules.slice(1) })).toMatchObject({ writes: [] });
  });

  it('that have never had a deployment need no call that writes', async () => {
    const plan = {
      id: 'e',
      modules: [{ moduleId: '$edgeAgent' }, { moduleId: '$edgeHub', tags: '{}', desired: '{}' }],
    };
    expect(await apply(plan)).toMatchObject({ results: [{ outcome: 'unchanged' }], writes: [] });
  });

  it('lose what they have besides', async () => {
    await hub.updateTwin({ deviceId: 'e', moduleId: '$edgeAgent', tags: { rack: { row: 2, shelf: 1 }, old: 1 } });
    await hub.updateTwin({ deviceId: 'e', moduleId: '$edgeAgent', desired: { old: { a: 1 } } });
    await apply();
    expect(await twinOf('$edgeAgent')).toMatchObject({ tags: { rack: { row: 1 } } });
    expect((await twinOf('$edgeAgent')).desired).not.toHaveProperty('old');
    expect((await twinOf('$edgeAgent')).tags).toEqual({ rack: { row: 1 } });
  });

  it('of which only tags differ cost no operation on configurations', async () => {
    await apply();
    await hub.updateTwin({ deviceId: 'e', moduleId: '$edgeHub', tags: { wrong: true } });
    expect(await apply()).toMatchObject({ results: [{ outcome: 'succeeded' }], writes: ['patchTwin'] });
    expect((await twinOf('$edgeHub')).tags).toEqual({});
  });

  it('on a hub that merges contents are set by patches', async () => {
    await hub.updateTwin({ deviceId: 'e', moduleId: '$edgeAgent', desired: { old: 1, b: 5 } });
    const merging: RegistryClient = {
      ...hub,
      async applyConfigurationContent() {
        await hub.updateTwin({ deviceId: 'e', moduleId: '$edgeAgent', desired: { '10': 1 } });
      },
    };
    expect((await apply(PLAN, merging)).results).toMatchObject([{ outcome: 'succeeded' }]);
    expect((await twinOf('$edgeAgent')).desired).toEqual({
      modules: { m: { version: '1.10' } },
      '10': 1,
      b: [1, { c: 2 }],
    });
  });

  it('arrive with numbers as they were written', async () => {
    let sent: unknown;
    const reading: RegistryClient = {
      ...hub,
      async applyConfigurationContent(deviceId, content) {
        sent = content;
        await hub.applyConfigurationContent(deviceId, content);
      },
    };
    await apply({ id: 'e', modules: [{ moduleId: '$edgeAgent', desired: '{"z":1.50,"2":1}' }] }, reading);
    expect(sent).toBe('{"modulesContent":{"$edgeAgent":{"properties.desired":{"z":1.50,"2":1}}}}');
  });

  it('include those that a deployment made, with their tags, also when they show a moment later', async () => {
    const modules = [...PLAN.modules, { moduleId: 'm', tags: '{"t":1}', desired: '{"rate":5}' }];
    let hidden = 3;
    const lagging: RegistryClient = {
      ...hub,
      getTwin: async (id) => (id.moduleId === 'm' && hidden-- > 0 ? undefined : hub.getTwin(id)),
    };
    const { results, writes } = await apply({ id: 'e', modules }, lagging);
    expect(results).toEqual([{ what: 'systemModules', id: 'e', outcome: 'succeeded' }]);
    expect(writes).toEqual(['applyConfigurationContent', 'patchTwin', 'patchTwin']);
    expect(await twinOf('m')).toEqual({ tags: { t: 1 }, desired: { rate: 5 } });
    expect(await hub.getModule('e', 'm')).toMatchObject({ managedBy: 'iotEdge', authentication: { type: 'none' } });
    expect(await apply({ id: 'e', modules })).toMatchObject({ results: [{ outcome: 'unchanged' }], writes: [] });
  });

  it('that a hub does not make are named', async () => {
    const modules = [...PLAN.modules, { moduleId: 'm', desired: '{"rate":5}' }];
    const deaf: RegistryClient = {
      ...hub,
      applyConfigurationContent: async () => undefined,
    };
    expect((await apply({ id: 'e', modules }, deaf)).results).toMatchObject([
      { what: 'systemModules', outcome: 'succeeded' },
      { what: 'systemModuleTwin', id: 'e', moduleId: 'm', outcome: 'failed', code: 'moduleNotMade' },
    ]);
  });
});

describe('an edge device that cannot be set', () => {
  it('fails by itself: one that is none, and one that is not there', async () => {
    await hub.createDevice({ deviceId: 'leaf' }).catch(() => undefined);
    const plans = ['leaf', 'nobody', 'e'].map((id) => ({ ...PLAN, id }));
    const { results } = await applySystemModules(hub, plans, 0, limits());
    expect(results.map(({ id, outcome, code }) => [id, code ?? outcome])).toEqual([
      ['leaf', 'ArgumentInvalid'],
      ['nobody', 'DeviceNotFound'],
      ['e', 'succeeded'],
    ]);
  });

  it('names the module whose twin could not be set', async () => {
    await at.faults({ operation: 'patchModuleTwin', code: 'SystemModuleModifyUnauthorizedAccess' });
    const { results } = await apply();
    expect(results).toMatchObject([
      { what: 'systemModules', id: 'e', outcome: 'succeeded' },
      {
        what: 'systemModuleTwin',
        id: 'e',
        moduleId: '$edgeAgent',
        outcome: 'failed',
        code: 'SystemModuleModifyUnauthorizedAccess',
      },
    ]);
  });

  it('is tried again when the hub was in trouble', async () => {
    await at.faults({ operation: 'applyConfigurationContent', code: 'ServiceUnavailable', count: 3 });
    const first = await applySystemModules(hub, [PLAN], 0, limits());
    expect(first).toMatchObject({ results: [], position: 0, done: false, stoppedBy: { retryable: true } });
    expect(await applySystemModules(hub, [PLAN], 0, limits())).toMatchObject({
      done: true,
      results: [{ outcome: 'succeeded' }],
    });
  });
});
