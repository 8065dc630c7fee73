/** What an import does not carry, from one simulated hub to another: collected, planned, put back, and compared. */

import { afterAll, beforeAll, expect, it } from 'vitest';

import type { ConfigurationInput, RegistryClient } from '../../../src/lib/registry/index.ts';
import { applyConfigurations } from '../../../src/lib/registryExtras/applyConfigurations.ts';
import { applyManagedBy } from '../../../src/lib/registryExtras/applyManagedBy.ts';
import { applySystemModules } from '../../../src/lib/registryExtras/applySystemModules.ts';
import { collectExtras, EXTRAS_START } from '../../../src/lib/registryExtras/collectExtras.ts';
import { compareConfigurations } from '../../../src/lib/registryExtras/configurationChanges.ts';
import { readExtras } from '../../../src/lib/registryExtras/extraLine.ts';
import { planExtras } from '../../../src/lib/registryExtras/planExtras.ts';
import { planAllSystemModules } from '../../../src/lib/registryExtras/systemModules.ts';
import { readIdentity } from '../../../src/lib/registryLines/registryLine.ts';
import { managedByRows } from '../../../src/lib/restore/restRows.ts';
import { managedByOf } from '../../../src/lib/restore/wanted.ts';
import { memberMap, objectText } from '../../../src/lib/textFile/jsonMembers.ts';
import { type ExtrasHub, limits, startExtrasHub } from '../registryExtras/extrasHub.ts';

let from: ExtrasHub;
let to: ExtrasHub;

beforeAll(async () => {
  [from, to] = await Promise.all([startExtrasHub(), startExtrasHub()]);
});
afterAll(() => Promise.all([from.close(), to.close()]));

const agent = (version: string, ...modules: string[]) => ({
  schemaVersion: '1.1',
  modules: Object.fromEntries(modules.map((name) => [name, { version, type: 'docker' }])),
});

const DEPLOYMENTS: ConfigurationInput[] = [
  {
    id: 'fleet',
    content: {
      modulesContent: {
        $edgeAgent: { 'properties.desired': agent('1.0', 'camera') },
        $edgeHub: { 'properties.desired': { routes: {} } },
        camera: { 'properties.desired': { rate: 1 } },
      },
    },
    targetCondition: "tags.site='north'",
    priority: 5,
  },
  { id: 'settings', content: { deviceContent: { 'properties.desired.level': 3 } }, targetCondition: '*', priority: 1 },
];

/** Of two edge devices one has its modules by a call, the other by a deployment. */
async function fill(hub: RegistryClient): Promise<void> {
  for (const deviceId of ['single', 'fleet']) {
    await hub.createDevice({ deviceId, capabilities: { iotEdge: true } });
    await hub.createModule({ deviceId, moduleId: 'own', managedBy: 'somebody' });
    await hub.createModule({ deviceId, moduleId: 'free' });
  }
  await hub.applyConfigurationContent('single', {
    modulesContent: {
      $edgeAgent: { 'properties.desired': agent('2.0', 'pump') },
      $edgeHub: { 'properties.desired': { routes: { all: 'FROM /* INTO $upstream' } } },
      pump: { 'properties.desired': { speed: 7 } },
    },
  });
  await hub.updateTwin({ deviceId: 'single', moduleId: 'pump', tags: { room: 'é' } });
  await hub.updateTwin({ deviceId: 'single', moduleId: '$edgeAgent', tags: { by: 'hand' } });
  await hub.updateTwin({ deviceId: 'fleet', tags: { site: 'north' } });
  for (const deployment of DEPLOYMENTS) await hub.createConfiguration(deployment);
}

/** As an export has them: without managedBy. */
async function linesOf(hub: RegistryClient, keys: boolean): Promise<string[]> {
  const lines: string[] = [];
  for (const id of ['single', 'fleet']) {
    for (const moduleId of [undefined, ...(await hub.listModules(id)).map((module) => module.moduleId)]) {
      const found = await readIdentity(hub, { id, ...(moduleId === undefined ? {} : { moduleId }) });
      if (found === undefined || found === 'unreadable') throw new Error(`${id}/${moduleId} cannot be read`);
      const members = memberMap(found.text);
      members.delete('managedBy');
      if (!keys) members.set('authentication', 'null');
      lines.push(objectText(members));
    }
  }
  return lines;
}

/** What is to be the same in both hubs; keys are those of each hub's own. */
async function stateOf(hub: RegistryClient): Promise<unknown> {
  const modules: unknown[] = [];
  for (const deviceId of ['single', 'fleet']) {
    for (const { moduleId, managedBy, authentication } of await hub.listModules(deviceId)) {
      const twin = await hub.getTwin({ deviceId, moduleId });
      const { $metadata: _metadata, $version: _version, ...desired } = twin?.properties.desired ?? {};
      modules.push({ deviceId, moduleId, managedBy, type: authentication?.type, tags: twin?.tags, desired });
    }
  }
  const configurations = (await hub.listConfigurations()).map(
    ({ etag: _e, createdTimeUtc: _c, lastUpdatedTimeUtc: _l, ...configuration }) => configuration,
  );
  return { modules: modules.map((module) => JSON.stringify(module)).toSorted(), configurations };
}

it.each([
  ['with keys', true],
  ['without keys', false],
])('a hub gets back what its import lacks, %s', async (_, keys) => {
  await reset(from.hub);
  await reset(to.hub);
  await fill(from.hub);
  const lines = await linesOf(from.hub, keys);
  const configurations = await from.hub.listConfigurations();

  const asks = (await Array.fromAsync(planExtras(lines))).filter((row) => row.kind === 'ask');
  const { lines: collected, position } = await collectExtras(from.hub, asks, EXTRAS_START, limits());
  expect(position.done).toBe(true);
  const texts = collected.map((extra) => JSON.stringify(extra));
  const extras = () => readExtras(texts, 'extras.ndjson');
  const managedBy = await managedByOf({ extras });

  // What the import does.
  for (const deviceId of ['single', 'fleet']) {
    await to.hub.createDevice({ deviceId, capabilities: { iotEdge: true } });
    for (const moduleId of ['own', 'free']) await to.hub.createModule({ deviceId, moduleId });
  }
  await to.hub.updateTwin({ deviceId: 'fleet', tags: { site: 'north' } });

  const liveLines = async function* () {
    yield* await linesOf(to.hub, keys);
  };
  const plans = planAllSystemModules(() => lines, managedBy);
  const steps = [
    await applySystemModules(to.hub, plans, 0, limits()),
    await applyManagedBy(to.hub, managedByRows(extras(), { mode: 'exact', live: liveLines }), 0, limits()),
    await applyConfigurations(
      to.hub,
      compareConfigurations(configurations, await to.hub.listConfigurations()),
      0,
      limits(),
    ),
  ];
  expect(steps.map(({ done }) => done)).toEqual([true, true, true]);
  expect(steps.flatMap(({ results }) => results).filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  expect(await stateOf(to.hub)).toEqual(await stateOf(from.hub));

  const again = await applySystemModules(
    to.hub,
    planAllSystemModules(() => lines, managedBy),
    0,
    limits(),
  );
  expect(again.results.map(({ outcome }) => outcome)).toEqual(['unchanged', 'unchanged']);
});

async function reset(hub: RegistryClient): Promise<void> {
  for (const configuration of await hub.listConfigurations()) await hub.deleteConfiguration(configuration);
  for (const device of await hub.listDevices()) await hub.deleteDevice(device);
}
