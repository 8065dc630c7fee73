import { describe, expect, it } from 'vitest';

import { mirroredIdentity, mirroredTwin, type RegistryIdentity } from '../../../../src/lib/mirror/refresh/mirrored.ts';

const scope = (id: string) => `ms-azure-iot-edge://${id}-637000000000000000`;
const device = { deviceId: 'd1' };

describe('what is mirrored of an identity', () => {
  it.each<[string, RegistryIdentity, object]>([
    ['of a device', { status: 'enabled', authenticationType: 'sas' }, { status: 'enabled', authenticationType: 'sas' }],
    ['in another case', { status: 'Disabled', statusReason: 'x' }, { status: 'disabled', statusReason: 'x' }],
    ['without a reason', { status: 'enabled', statusReason: '' }, { status: 'enabled' }],
    ['of a leaf', { deviceScope: scope('e-1'), parentScopes: [scope('e-1')] }, { parent: 'e-1' }],
    ['of a leaf that only tells its parents', { parentScopes: [scope('e1')] }, { parent: 'e1' }],
    ['of an edge device', { capabilities: { iotEdge: true }, deviceScope: scope('d1') }, { edge: true }],
    [
      'of an edge device below another',
      { capabilities: { iotEdge: true }, deviceScope: scope('d1'), parentScopes: [scope('e1')] },
      { edge: true, parent: 'e1' },
    ],
    ['of one that was an edge device', { deviceScope: scope('d1') }, {}],
    ['with a scope that no hub makes', { deviceScope: 'elsewhere' }, {}],
    ['with nulls', { statusReason: null, capabilities: null, deviceScope: null, parentScopes: null }, {}],
  ])('%s', (_, found, expected) => {
    expect(mirroredIdentity(device, found)).toEqual({ edge: false, ...expected });
  });

  it('is little of a module', () => {
    const found = { status: 'enabled', authenticationType: 'sas', capabilities: { iotEdge: false } };
    expect(mirroredIdentity({ deviceId: 'd1', moduleId: 'm1' }, found)).toEqual({ authenticationType: 'sas' });
  });
});

it('a twin is mirrored without what the hub adds to it', () => {
  const desired = { a: { b: 1 }, $metadata: { a: {} }, $version: 3 };
  const twin = mirroredTwin({ version: 7, tags: { site: 'faro' }, properties: { desired, reported: { $version: 1 } } });
  expect(twin).toEqual({ version: 7, tags: { site: 'faro' }, desired: { a: { b: 1 } }, reported: {} });
});
