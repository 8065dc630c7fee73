import { describe, expect, it } from 'vitest';

import { agreement } from '../../../src/lib/provisioning/agrees.ts';

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
    ['a removed key that is not there', { id: 'd1', importMode: 'update', tags: { gone: null } }],
    ['nothing where nothing is', { id: 'd1', tags: { a: { b: { c: null } } } }],
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
    ['a key that should be gone', { id: 'd1', tags: { site: null } }],
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
