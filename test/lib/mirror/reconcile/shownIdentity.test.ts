import { describe, expect, it } from 'vitest';

import { type ShownIdentity, shownIdentity } from '../../../../src/lib/mirror/reconcile/shownIdentity.ts';

const SCOPE = 'ms-azure-iot-edge://gate-63';

function shown(fields: object, parents?: ReadonlyMap<string, readonly string[]>): ShownIdentity {
  return shownIdentity(JSON.stringify({ id: 'd', status: 'enabled', ...fields }), parents);
}

describe('a line of a device', () => {
  it('shows all but its keys', () => {
    const line = {
      status: 'disabled',
      statusReason: 'lost',
      authentication: { symmetricKey: { primaryKey: 'c2VjcmV0', secondaryKey: 'c2VjcmV0' }, type: 'sas' },
      twinETag: 'AAAAAAAAAAE=',
      tags: { site: 'faro' },
      properties: { desired: { t: 1, $metadata: {}, $version: 3 }, reported: { fw: '1.2' } },
      capabilities: { iotEdge: true },
      deviceScope: 'ms-azure-iot-edge://d-64',
      parentScopes: [SCOPE],
    };
    const identity = shown(line);
    expect(identity).toEqual({
      deviceId: 'd',
      status: 'disabled',
      statusReason: 'lost',
      edge: true,
      parent: 'gate',
      authenticationType: 'sas',
      tags: { site: 'faro' },
      desired: { t: 1 },
      reported: { fw: '1.2' },
    });
    expect(JSON.stringify(identity)).not.toContain('c2VjcmV0');
  });

  it.each<[string, object, Partial<ShownIdentity>]>([
    ['without keys: no type of authentication', { authentication: null }, { authenticationType: undefined }],
    ['with an empty reason: none', { statusReason: '' }, { statusReason: null }],
    ['of a tier without twins: nothing of these', {}, { tags: undefined, desired: undefined, reported: undefined }],
    [
      'with sections that are null: empty ones',
      { tags: null, properties: { desired: null } },
      { tags: {}, desired: {} },
    ],
    ['without reported properties: nothing of these', { properties: { desired: {} } }, { reported: undefined }],
    ['of a leaf: its parent', { deviceScope: SCOPE }, { edge: false, parent: 'gate' }],
    ['of a leaf without a scope: that it has no parent', {}, { parent: null }],
    ['of an edge device with no parent', { capabilities: { iotEdge: true }, parentScopes: [] }, { parent: null }],
    ['with a scope that no hub makes: no parent', { deviceScope: 'mine' }, { parent: undefined }],
  ])('%s', (_, fields, wanted) => expect(shown(fields)).toMatchObject(wanted));

  it.each<[string, ReadonlyMap<string, readonly string[]> | undefined, string | null | undefined]>([
    ['nothing is known', undefined, undefined],
    ['the hub tells it', new Map([['d', [SCOPE]]]), 'gate'],
    ['the hub tells that it has none', new Map([['other', [SCOPE]]]), null],
  ])('of an edge device that does not tell its parent: %s', (_, parents, parent) => {
    expect(shown({ capabilities: { iotEdge: true }, deviceScope: 'ms-azure-iot-edge://d-64' }, parents).parent).toBe(
      parent,
    );
  });
});

it('a line of a module shows no status and no parent', () => {
  const line = { moduleId: 'm', capabilities: { iotEdge: false }, tags: {}, properties: { desired: {}, reported: {} } };
  const told = Object.entries(shown(line)).filter(([, value]) => value !== undefined);
  expect(Object.fromEntries(told)).toEqual({ deviceId: 'd', moduleId: 'm', tags: {}, desired: {}, reported: {} });
});
