import { describe, expect, it } from 'vitest';

import { agreement } from '../../../src/lib/registryLines/agrees.ts';

const key = (letter: string) => Buffer.from(letter.repeat(32)).toString('base64');
const device = {
  id: 'd1',
  status: 'enabled',
  statusReason: '',
  authentication: { type: 'sas', symmetricKey: { primaryKey: key('a'), secondaryKey: key('b') } },
  tags: { site: 'faro', rack: { row: 3 } },
  properties: { desired: { interval: 30, list: [1, 2] }, reported: {} },
  capabilities: { iotEdge: false },
};

const agrees = (...args: Parameters<typeof agreement>) => agreement(...args) === 'all';

describe('the registry is as a line asks for', () => {
  it.each([
    ['a line with an id only', { id: 'd1' }],
    ['a line that is what an export says', device],
    ['a part of the twin', { id: 'd1', importMode: 'updateTwin', tags: { rack: { row: 3 } } }],
    ['a removed key that is not there', { id: 'd1', importMode: 'updateTwin', tags: { gone: null } }],
    ['nothing where nothing is', { id: 'd1', importMode: 'updateTwin', tags: { a: { b: { c: null } } } }],
    ['a whole section in another order', { id: 'd1', tags: { rack: { row: 3 }, site: 'faro' } }],
    ['a null where nothing is', { id: 'd1', tags: { ...device.tags, gone: null, empty: {} } }],
    ['what hubs add to a twin', { id: 'd1', properties: { desired: { ...device.properties.desired, $version: 3 } } }],
    ['words in another case', { id: 'd1', status: 'Enabled', authentication: { type: 'SAS' } }],
    ['a twin update, whatever it says of the status', { id: 'd1', importMode: 'updateTwin', status: 'disabled' }],
  ])('for %s', (_what, line) => {
    expect(agrees(line, device)).toBe(true);
  });

  it.each([
    ['another status', { id: 'd1', status: 'disabled' }],
    ['another reason', { id: 'd1', statusReason: 'lost' }],
    ['another key', { id: 'd1', authentication: { symmetricKey: { primaryKey: key('c'), secondaryKey: key('b') } } }],
    ['another type', { id: 'd1', authentication: { type: 'certificateAuthority' } }],
    ['another tag', { id: 'd1', tags: { site: 'lagos' } }],
    ['a tag more', { id: 'd1', tags: { floor: 1 } }],
    ['a longer list', { id: 'd1', properties: { desired: { list: [1, 2, 3] } } }],
    ['a key that should be gone', { id: 'd1', importMode: 'updateTwin', tags: { site: null } }],
    ['a part of a list', { id: 'd1', importMode: 'updateTwin', properties: { desired: { list: [1] } } }],
    ['a scalar that is an object', { id: 'd1', importMode: 'updateTwin', tags: { rack: 3 } }],
    ['an edge device', { id: 'd1', capabilities: { iotEdge: true } }],
    ['a delete', { id: 'd1', importMode: 'delete' }],
  ])('but not for %s', (_what, line) => {
    expect(agrees(line, device)).toBe(false);
  });

  it('when a deleted device is gone, and not when any other is', () => {
    expect(agrees({ id: 'd1', importMode: 'deleteIfMatchETag' }, undefined)).toBe(true);
    expect(agrees({ id: 'd1', importMode: 'create' }, undefined)).toBe(false);
  });

  it('for thumbprints in another case, but not for keys in another case', () => {
    const x509 = (primaryThumbprint: string) => ({ type: 'selfSigned', x509Thumbprint: { primaryThumbprint } });
    const line = (authentication: object) => ({ id: 'd1', authentication });
    const there = { ...device, authentication: x509('AB'.repeat(20)) };
    expect(agrees(line(x509('ab'.repeat(20))), there)).toBe(true);
    const lower = { symmetricKey: { primaryKey: key('a').toLowerCase(), secondaryKey: key('b') } };
    expect(agrees(line(lower), device)).toBe(false);
  });

  it('when new keys were asked for only if they are not those from before', () => {
    expect(agrees({ id: 'd1', importMode: 'update', keyBefore: key('a') }, device)).toBe(false);
    expect(agrees({ id: 'd1', importMode: 'update', keyBefore: key('c') }, device)).toBe(true);
    const x509 = { ...device, authentication: { type: 'selfSigned', x509Thumbprint: {} } };
    expect(agrees({ id: 'd1', importMode: 'update', keyBefore: '' }, x509)).toBe(false);
  });

  it('in its identity alone when its twin is empty, as one is that was made and lost it', () => {
    const bare = { ...device, tags: {}, properties: { desired: {}, reported: {} } };
    expect(agreement({ id: 'd1', tags: { site: 'faro' } }, bare)).toBe('identity');
    expect(agreement({ id: 'd1', tags: { site: 'lagos' } }, device)).toBe('none');
    expect(agreement({ id: 'd1', status: 'disabled', tags: { site: 'faro' } }, bare)).toBe('none');
  });

  it('for a module, whose status is not its own', () => {
    const module = { id: 'd1', moduleId: 'm1', status: 'disabled', tags: {} };
    expect(agrees({ id: 'd1', moduleId: 'm1', status: 'enabled' }, module)).toBe(true);
  });
});

describe('a line and a twin that differ', () => {
  const of = (importMode: string, twin: object, more: object = {}) => ({ id: 'd1', importMode, ...twin, ...more });
  const desired = (section: object) => ({ properties: { desired: section } });
  it.each([
    // What overwrites is equal: a hub that merges leaves what had to go.
    ['update', { tags: { site: 'faro' } }, {}, 'more'],
    ['createOrUpdate', { tags: {} }, {}, 'more'],
    ['create', { tags: { rack: { row: 3 } } }, {}, 'more'],
    ['updateIfMatchETag', { tags: { site: 'faro', rack: {} } }, {}, 'more'],
    ['update', { tags: { site: 'faro' }, ...desired({ interval: 1 }) }, {}, 'none'],
    ['update', desired({ interval: 30 }), {}, 'more'],
    ['update', { tags: device.tags }, {}, 'all'],
    ['update', { tags: null }, {}, 'all'],
    // What was merged before it was sent is equal, too; a patch changes nothing.
    ['updateTwinIfMatchETag', { tags: { site: 'faro' } }, {}, 'more'],
    ['updateTwinIfMatchETag', { tags: device.tags }, {}, 'all'],
    ['updateTwin', { tags: { site: 'faro' } }, {}, 'all'],
    ['updateTwin', { tags: { site: 'lagos' } }, {}, 'none'],
    // Identity and twin are judged one by one by a hub.
    ['updateIfMatchETag', { tags: device.tags }, { status: 'disabled' }, 'twin'],
    ['updateIfMatchETag', {}, { status: 'disabled' }, 'none'],
    ['updateIfMatchETag', { tags: { site: 'lagos' } }, { status: 'disabled' }, 'none'],
  ] as const)('%s of %j, %j: %s', (importMode, twin, more, expected) => {
    expect(agreement(of(importMode, twin, more), device)).toBe(expected);
    const module = { ...device, moduleId: 'm1' };
    if (!('status' in more)) expect(agreement({ ...of(importMode, twin), moduleId: 'm1' }, module)).toBe(expected);
  });
});
