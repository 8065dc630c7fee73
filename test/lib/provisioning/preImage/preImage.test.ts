/** What is in a pre-image beside what the lines of a file name, against the simulated hub. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { RegistryClient } from '../../../../src/lib/registry/index.ts';
import { openSnapshot } from '../../../../src/lib/registryLines/snapshot.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { type SimulatedHub, withSimulatedHub } from '../../../helpers/simulatedHub.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

interface Taken {
  /** `id` or `id/moduleId`, sorted. */
  readonly identities: readonly string[];
  readonly keyless: number;
  readonly exports: number;
}

/** An edge device with modules, one below it, and a leaf of each; and a device that has modules. */
async function makeFleet(client: RegistryClient): Promise<void> {
  const edge = { capabilities: { iotEdge: true } };
  const top = await client.createDevice({ deviceId: 'top', ...edge });
  await client.createDevice({ deviceId: 'below', ...edge, parentScopes: [top.deviceScope ?? ''] });
  await client.createDevice({ deviceId: 'leaf', deviceScope: top.deviceScope ?? '' });
  await client.createDevice({ deviceId: "odd'$leaf", deviceScope: top.deviceScope ?? '' });
  for (const moduleId of ['opc', 'filter']) await client.createModule({ deviceId: 'top', moduleId });
  await client.createDevice({ deviceId: 'plain' });
  await client.createModule({ deviceId: 'plain', moduleId: 'valve' });
  await client.createDevice({ deviceId: 'other' });
  await client.createModule({ deviceId: 'other', moduleId: 'valve' });
}

/** Runs a file on a hub that has the fleet. */
async function take(
  file: readonly object[],
  prepare: (client: RegistryClient) => Promise<unknown> = async () => undefined,
  wrap: (client: RegistryClient) => RegistryClient = (client) => client,
): Promise<Taken> {
  const work = async ({ client, context, provision }: SimulatedHub): Promise<Taken> => {
    await makeFleet(client);
    await prepare(client);
    const { preImage, jobs } = await provision(file);
    if (preImage === undefined) throw new Error('no pre-image');
    const lines = openSnapshot(context.storage.container(preImage.container), preImage).lines();
    const there = (await Array.fromAsync(lines)).map((line) => JSON.parse(line) as Record<string, unknown>);
    return {
      identities: there.map(({ id, moduleId }) => (moduleId === undefined ? `${id}` : `${id}/${moduleId}`)).sort(),
      keyless: there.filter(({ authentication }) => authentication === undefined || authentication === null).length,
      exports: jobs.export === undefined ? 0 : 1,
    };
  };
  return withSimulatedHub(azurite.connectionString, work, wrap);
}

const TOP = ['top', 'top/$edgeAgent', 'top/$edgeHub', 'top/filter', 'top/opc'];
const CHILDREN = ['below', 'leaf', "odd'$leaf"];
const DELETE_TOP = { id: 'top', importMode: 'delete' };

describe('the pre-image of a file that deletes', () => {
  it.each([
    ['an edge device: its modules, and the devices below it', [DELETE_TOP], [...CHILDREN, ...TOP]],
    ['a device with a module', [{ id: 'plain', importMode: 'delete' }], ['plain', 'plain/valve']],
    ['a module alone', [{ id: 'plain', moduleId: 'valve', importMode: 'delete' }], ['plain/valve']],
    ['what is not there', [{ id: 'never', importMode: 'delete' }], []],
    [
      'only where its ETag is right, of another ETag',
      [{ id: 'plain', importMode: 'deleteIfMatchETag', eTag: 'bm8=' }],
      ['plain', 'plain/valve'],
    ],
    [
      'an edge device, by making it a leaf',
      [{ id: 'top', importMode: 'update', capabilities: { iotEdge: false } }],
      [...CHILDREN, ...TOP],
    ],
  ])('has %s', async (_what, file, expected) => {
    expect(await take(file)).toEqual({ identities: [...expected].sort(), keyless: 0, exports: 0 });
  });

  it('has only what is named of a file that updates', async () => {
    const file = [{ id: 'top' }, { id: 'plain', importMode: 'updateTwin', tags: { v: 1 } }];
    expect(await take(file)).toMatchObject({ identities: ['plain', 'top'], exports: 0 });
  });

  it('is an export where the hub does not show the modules of a disabled device', async () => {
    const disable = async (client: RegistryClient) => {
      const plain = await client.getDevice('plain');
      if (plain !== undefined) await client.updateDevice({ ...plain, status: 'disabled' });
    };
    const { identities, exports } = await take([{ id: 'plain', importMode: 'delete' }], disable);
    expect(exports).toBe(1);
    expect(identities).toEqual(expect.arrayContaining(['plain', 'plain/valve']));
  });

  it('is an export where modules and children make more than 200, or the hub takes no such query', async () => {
    const file = [DELETE_TOP, ...Array.from({ length: 195 }, (_, at) => ({ id: `never${at}`, importMode: 'delete' }))];
    const { identities, exports } = await take(file);
    expect(exports).toBe(1);
    expect(identities).toEqual(expect.arrayContaining([...TOP, ...CHILDREN]));

    const queryless = (client: RegistryClient): RegistryClient => ({
      ...client,
      query: (text) => client.query(`${text} AND not a query`),
    });
    const taken = await take([DELETE_TOP], undefined, queryless);
    expect(taken).toMatchObject({ exports: 1, identities: expect.arrayContaining([...TOP, ...CHILDREN]) });
  });

  it('is an export of a file of more than 200 lines, with all of it', async () => {
    const file = [DELETE_TOP, ...Array.from({ length: 201 }, (_, at) => ({ id: `never${at}`, importMode: 'delete' }))];
    const { identities, exports, keyless } = await take(file);
    expect(exports).toBe(1);
    expect(identities).toEqual(expect.arrayContaining([...TOP, ...CHILDREN, 'plain/valve', 'other/valve']));
    expect(keyless).toBe(0);
  });
});
