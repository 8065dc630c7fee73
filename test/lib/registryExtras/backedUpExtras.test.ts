import { describe, expect, it } from 'vitest';

import { managersToSet, readBackedUpExtras } from '../../../src/lib/registryExtras/backedUpExtras.ts';
import type { ExtraLine } from '../../../src/lib/registryExtras/extraLine.ts';

const module = (id: string, moduleId: string, managedBy: string | null): ExtraLine => ({
  kind: 'module',
  id,
  moduleId,
  eTag: 'MQ==',
  managedBy,
});
const edge = (id: string, ...parentScopes: string[]): ExtraLine => ({
  kind: 'edge',
  id,
  deviceScope: null,
  parentScopes,
});

describe('the extras of a backup tell', () => {
  it('who manages a module, if somebody does', async () => {
    const { managedBy } = await readBackedUpExtras([
      module('d', 'm', 'iotEdge'),
      module('d', 'n', null),
      module('e', 'm', 'é'),
    ]);
    const asked = [
      ['d', 'm'],
      ['d', 'n'],
      ['e', 'm'],
      ['e', 'n'],
      ['D', 'm'],
    ].map(([id = '', moduleId = '']) => managedBy({ id, moduleId }));
    expect(asked).toEqual(['iotEdge', null, 'é', undefined, undefined]);
  });

  it('the parents of edge devices, by device id', async () => {
    const { parentOf } = await readBackedUpExtras([
      edge('top'),
      edge('low', 'ms-azure-iot-edge://top-of-all-638000000000000000'),
      edge('odd', 'something else'),
    ]);
    expect(['top', 'low', 'odd', 'none'].map(parentOf)).toEqual([null, 'top-of-all', undefined, undefined]);
  });
});

describe('managers are set', () => {
  const extras = readBackedUpExtras([
    module('d', 'managed', 'me'),
    module('d', 'free', null),
    module('d', 'keyless', 'iotEdge'),
    module('d', 'deployed', 'iotEdge'),
    module('d', 'gone', 'me'),
    module('e', '$edgeAgent', 'iotEdge'),
  ]);
  it.each([
    ['of a module that has one', { moduleId: 'managed', authentication: { type: 'sas' } }, 'me'],
    ['of one of a keyless backup', { moduleId: 'managed', authentication: null }, 'me'],
    [
      'of a module with keys that the edge manages',
      { moduleId: 'deployed', authentication: { type: 'sas' } },
      'iotEdge',
    ],
    ['of one whose line says it', { moduleId: 'other', managedBy: 'you', authentication: { type: 'sas' } }, 'you'],
    ['but not of one that has none', { moduleId: 'free' }, undefined],
    ['nor of one of which nothing is known', { moduleId: 'unknown' }, undefined],
    ['nor of one that a deployment makes', { moduleId: 'deployed', authentication: { type: 'none' } }, undefined],
    ['nor of one that it made, as a keyless backup tells', { moduleId: 'keyless', authentication: null }, undefined],
    ['nor of a device', { moduleId: null }, undefined],
  ])('%s', async (_, fields, managedBy) => {
    const lines = ['"moduleId"', JSON.stringify({ id: 'd', eTag: null, ...fields })];
    const found = await Array.fromAsync(managersToSet(lines, await extras));
    expect(found.map((extra) => extra.managedBy)).toEqual(managedBy === undefined ? [] : [managedBy]);
  });
});
