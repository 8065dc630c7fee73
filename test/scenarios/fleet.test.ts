import { afterAll, beforeAll, expect, it } from 'vitest';

import { type RunningHub, startHub } from '../../local/hub/index.ts';
import { startAzurite } from '../helpers/azurite.ts';
import { type HubContainer, hubContainer } from '../helpers/hubContainer.ts';
import { type HubRest, hubRest } from '../helpers/hubRest.ts';
import { buildFleet, wipeHub } from './fleet.ts';
import { registryState } from './registryState.ts';

let hub: RunningHub;
let rest: HubRest;
let container: HubContainer;

beforeAll(async () => {
  container = await hubContainer((await startAzurite()).connectionString);
  hub = await startHub({ jobEnqueueMs: 0 });
  rest = hubRest(hub.connectionString);
});

afterAll(() => hub.close());

it('a fleet has of everything something, and is wiped', async () => {
  await buildFleet(rest, container, { devices: 200, modules: 40, edges: 12, configurations: 4 });
  const { devices, modules, configurations } = await registryState(rest, container);
  const all = Object.values(devices);
  const count = (of: (device: (typeof all)[number]) => boolean) => all.filter(of).length;
  expect(all).toHaveLength(200);
  expect(count(({ iotEdge }) => iotEdge)).toBe(12);
  expect(count(({ iotEdge, parent }) => iotEdge && parent !== null)).toBe(8);
  expect(count(({ iotEdge, parent }) => !iotEdge && parent !== null)).toBe(38);
  expect(count(({ parent }) => parent?.startsWith('nobody') ?? false)).toBe(0);
  expect(count(({ status }) => status === 'disabled')).toBe(21);
  expect(new Set(all.map(({ authentication }) => authentication.type))).toEqual(
    new Set(['sas', 'selfSigned', 'certificateAuthority']),
  );
  const own = Object.entries(modules).filter(([id]) => id.includes('/ module-'));
  expect(own).toHaveLength(40);
  expect(own.filter(([, { managedBy }]) => managedBy !== null).length).toBeGreaterThan(10);
  expect(own.every(([, { authentication }]) => authentication?.keys?.length === 2)).toBe(true);
  expect(modules['edge-0-0 / filter']).toMatchObject({
    managedBy: 'iotEdge',
    authentication: { type: 'none' },
    tags: { tuned: 'edge-0-0' },
    desired: { limit: 1.5 },
  });
  expect(Object.keys(configurations)).toHaveLength(4);

  await wipeHub(rest, container);
  expect(await registryState(rest, container)).toEqual({ devices: {}, modules: {}, configurations: {} });
});
