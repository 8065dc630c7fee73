import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  findGone,
  findScoped,
  type ScopedDevice,
  scopesToKeep,
} from '../../../../src/lib/provisioning/preImage/keptScopes.ts';
import { openSnapshot } from '../../../../src/lib/registryLines/snapshot.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { testContext } from '../../../helpers/provisioningContext.ts';

const EDGE = { id: 'd', capabilities: { iotEdge: true } };
const LEAF = { id: 'd', capabilities: { iotEdge: false } };
const own = 'ms-azure-iot-edge://d-1';
const up = 'ms-azure-iot-edge://p-2';

describe('the scopes that an update repeats', () => {
  const leaf = { ...LEAF, deviceScope: up, parentScopes: [up] };
  const edge = { ...EDGE, deviceScope: own, parentScopes: [up] };
  const cases: readonly {
    name: string;
    line: ScopedDevice;
    before: ScopedDevice;
    parent?: string | null;
    kept: object;
  }[] = [
    {
      name: 'a leaf without a word of parents',
      line: LEAF,
      before: leaf,
      kept: { deviceScope: up, parentScopes: [up] },
    },
    { name: 'a leaf without parent', line: LEAF, before: { ...LEAF, deviceScope: null, parentScopes: null }, kept: {} },
    {
      name: 'a leaf that is to have another parent, which is set later',
      line: LEAF,
      before: leaf,
      parent: 'q',
      kept: { deviceScope: up, parentScopes: [up] },
    },
    { name: 'a leaf that is to have none', line: LEAF, before: leaf, parent: null, kept: {} },
    {
      name: 'nulls, which say nothing',
      line: { ...LEAF, deviceScope: null, parentScopes: null },
      before: leaf,
      kept: { deviceScope: up, parentScopes: [up] },
    },
    { name: 'an edge device', line: EDGE, before: edge, kept: { deviceScope: own, parentScopes: [up] } },
    {
      name: 'an edge device without parent',
      line: EDGE,
      before: { ...EDGE, deviceScope: own },
      kept: { deviceScope: own },
    },
    { name: 'an edge device that is to have none', line: EDGE, before: edge, parent: null, kept: { deviceScope: own } },
    { name: 'a scope of another form in the line', line: { ...LEAF, deviceScope: 'mine' }, before: leaf, kept: {} },
    {
      name: 'a parent scope of another form in the line of an edge device',
      line: { ...EDGE, parentScopes: ['mine'] },
      before: edge,
      kept: { deviceScope: own },
    },
    {
      name: 'an edge device with its own scope of another hub',
      line: { ...EDGE, deviceScope: 'ms-azure-iot-edge://d-99' },
      before: edge,
      kept: { deviceScope: own, parentScopes: [up] },
    },
    { name: 'a leaf that becomes an edge device', line: EDGE, before: leaf, kept: { parentScopes: [up] } },
    {
      name: 'an edge device that becomes a leaf',
      line: LEAF,
      before: edge,
      kept: { deviceScope: up, parentScopes: [up] },
    },
    { name: 'one that had no parent and becomes a leaf', line: LEAF, before: { ...EDGE, deviceScope: own }, kept: {} },
  ];

  it('lack that of a parent which is gone', () => {
    const isGone = (scope: string) => scope === up;
    expect(scopesToKeep(LEAF, leaf, undefined, isGone)).toEqual({});
    expect(scopesToKeep(LEAF, leaf, 'q', isGone)).toEqual({});
    expect(scopesToKeep(EDGE, edge, 'q', isGone)).toEqual({ deviceScope: own });
    expect(scopesToKeep(LEAF, leaf, 'q', () => false)).toEqual({ deviceScope: up, parentScopes: [up] });
  });

  it.each(cases)('$name', ({ line, before, parent, kept }) => {
    expect(scopesToKeep(line, before, parent)).toEqual(kept);
  });
});

describe('devices of a pre-image that have a scope', () => {
  let azurite: Azurite;
  beforeAll(async () => {
    azurite = await startAzurite();
  });
  afterAll(() => azurite.stop());

  async function scopedOf(name: string, lines: readonly string[]) {
    const container = testContext(azurite.connectionString).storage.container('pre-images');
    await container.createIfNotExists();
    const blob = container.getBlockBlobClient(name);
    const text = lines.join('\r\n');
    await blob.upload(text, Buffer.byteLength(text));
    return findScoped(openSnapshot(container, { blobName: name }));
  }

  it('are found, whatever else there is', async () => {
    const hasScope = await scopedOf('some', [
      'WARNING: plain text with "deviceScope":"x"',
      JSON.stringify({ id: 'plain', tags: { deviceScopes: 1 }, deviceScope: null, parentScopes: [] }),
      JSON.stringify({ id: 'edge', deviceScope: own }),
      JSON.stringify({ id: 'leaf', parentScopes: [up] }),
      JSON.stringify({ id: 'spread' }).replace('}', ', "deviceScope" : "x"}').replace(' :', ':'),
      JSON.stringify({ id: 'module', moduleId: 'm', deviceScope: own }),
    ]);
    expect(['plain', 'edge', 'leaf', 'spread', 'module'].map((id) => hasScope?.hasScope(id))).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
  });

  it('are none in most registries', async () => {
    expect(await scopedOf('none', ['{"id":"a"}', '{"id":"b","deviceScope":null}'])).toBeUndefined();
  });

  const scopeOf = (id: string) => `ms-azure-iot-edge://${id}-1`;
  const registry = ['stays', 'deleted', 'leaf', 'kept', 'outside', 'missing'].flatMap((id) => [
    ...(id === 'outside' || id === 'missing'
      ? []
      : [JSON.stringify({ id, capabilities: { iotEdge: true }, deviceScope: scopeOf(id) })]),
    JSON.stringify({ id: `below-${id}`, deviceScope: scopeOf(id), parentScopes: [scopeOf(id)] }),
    JSON.stringify({
      id: `edge-below-${id}`,
      capabilities: { iotEdge: true },
      deviceScope: own,
      parentScopes: [scopeOf(id)],
    }),
  ]);
  const lines = [
    { id: 'deleted', importMode: 'delete' },
    { id: 'leaf', importMode: 'update', capabilities: { iotEdge: false } },
    { id: 'kept', importMode: 'update' },
    { id: 'stays', moduleId: 'm', importMode: 'delete' },
    { id: 'outside', importMode: 'updateTwin', capabilities: { iotEdge: false } },
  ];

  it.each([
    ['the whole registry', undefined, ['deleted', 'leaf', 'missing', 'outside']],
    ['a part of it', (id: string) => id === 'outside', ['deleted', 'leaf', 'missing']],
  ] as const)('whose edge device is gone or goes, given %s', async (what, hasEdge, gone) => {
    const container = testContext(azurite.connectionString).storage.container('pre-images');
    await container.createIfNotExists();
    const upload = async (name: string, texts: readonly string[]) => {
      const blob = container.getBlockBlobClient(`${what} ${name}`);
      await blob.upload(texts.join('\n'), Buffer.byteLength(texts.join('\n')));
      return blob;
    };
    const { name: blobName } = await upload('registry', registry);
    const scopes = await findScoped(openSnapshot(container, { blobName }));
    const file = await upload(
      'file',
      lines.map((line) => JSON.stringify(line)),
    );
    const isThere = hasEdge && ((scope: string, id: string) => Promise.resolve(hasEdge(id) && scope === scopeOf(id)));
    if (scopes === undefined) throw new Error('There are scopes.');
    expect([...(await findGone(scopes, file, isThere))].sort()).toEqual(gone.map(scopeOf));
  });
});
