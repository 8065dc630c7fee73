import { describe, expect, test } from 'vitest';

import { type Agreement, agreement } from '../../../src/lib/registryLines/agrees.ts';

const key = (letter: string) => Buffer.from(letter.repeat(32)).toString('base64');
const DEVICE = {
  id: 'd1',
  status: 'enabled',
  statusReason: '',
  authentication: { type: 'sas', symmetricKey: { primaryKey: key('a'), secondaryKey: key('b') } },
  tags: { site: 'faro', rack: { row: 3 } },
  properties: { desired: { interval: 30, list: [1, 2] }, reported: {} },
  capabilities: { iotEdge: false },
};
const BARE = { ...DEVICE, tags: {}, properties: { desired: {}, reported: {} } };
const x509 = (primaryThumbprint: string) => ({ type: 'selfSigned', x509Thumbprint: { primaryThumbprint } });
const desired = (section: object) => ({ properties: { desired: section } });

interface AgreementRow {
  readonly name: string;
  readonly given: {
    /** Without its id. */
    readonly line: object;
    /** Default: `DEVICE`; null: it is not there. */
    readonly found?: object | null;
  };
  readonly expected: Agreement;
}

function judge({ given: { line, found = DEVICE }, expected }: AgreementRow): void {
  expect(agreement({ id: 'd1', ...line }, found === null ? undefined : (found as typeof DEVICE))).toBe(expected);
}

describe('of a delete', () => {
  test.for<AgreementRow>([
    { name: 'nothing is there', given: { line: { importMode: 'delete' }, found: null }, expected: 'all' },
    {
      name: 'nothing is there, under an ETag',
      given: { line: { importMode: 'deleteIfMatchETag', eTag: 'MQ==' }, found: null },
      expected: 'all',
    },
    {
      name: 'no module is there',
      given: { line: { moduleId: 'm', importMode: 'delete' }, found: null },
      expected: 'all',
    },
    { name: 'it is still there', given: { line: { importMode: 'delete' } }, expected: 'none' },
    {
      name: 'it is still there, without a twin',
      given: { line: { importMode: 'delete' }, found: BARE },
      expected: 'none',
    },
    { name: 'it is still there, the mode in other case', given: { line: { importMode: 'DELETE' } }, expected: 'none' },
  ])('$name', judge);
});

describe('of an identity', () => {
  test.for<AgreementRow>([
    { name: 'it is not there', given: { line: { importMode: 'create' }, found: null }, expected: 'none' },
    {
      name: 'it is not there to be merged into',
      given: { line: { importMode: 'updateTwin' }, found: null },
      expected: 'none',
    },
    { name: 'nothing but an id is asked for', given: { line: {} }, expected: 'all' },
    { name: 'all is asked for that an export says', given: { line: DEVICE }, expected: 'all' },
    {
      name: 'words are in another case',
      given: { line: { status: 'Enabled', authentication: { type: 'SAS' } } },
      expected: 'all',
    },
    { name: 'another status', given: { line: { status: 'disabled' } }, expected: 'none' },
    {
      name: 'it is disabled, and the line says nothing of that: a hub enables it',
      given: { line: {}, found: { ...DEVICE, status: 'disabled' } },
      expected: 'none',
    },
    {
      name: 'it is disabled, and was to keep its status',
      given: { line: { status: 'enabled', statusKept: true }, found: { ...DEVICE, status: 'disabled' } },
      expected: 'all',
    },
    { name: 'another reason', given: { line: { statusReason: 'lost' } }, expected: 'none' },
    {
      name: 'the same reason',
      given: { line: { statusReason: 'lost' }, found: { ...DEVICE, statusReason: 'lost' } },
      expected: 'all',
    },
    {
      name: 'no reason',
      given: { line: { statusReason: '' }, found: { ...DEVICE, statusReason: undefined } },
      expected: 'all',
    },
    {
      name: 'nothing is asked of its reason',
      given: { line: { statusReason: null }, found: { ...DEVICE, statusReason: 'lost' } },
      expected: 'all',
    },
    { name: 'an edge device is asked for', given: { line: { capabilities: { iotEdge: true } } }, expected: 'none' },
    {
      name: 'a leaf is asked for',
      given: { line: { capabilities: { iotEdge: false } }, found: { ...DEVICE, capabilities: undefined } },
      expected: 'all',
    },
    {
      name: 'a leaf is asked for and an edge device is there',
      given: { line: { capabilities: {} }, found: { ...DEVICE, capabilities: { iotEdge: true } } },
      expected: 'none',
    },
    {
      name: 'scopes, which a hub makes itself',
      given: { line: { deviceScope: 'ms-azure-iot-edge://e-1', parentScopes: [] } },
      expected: 'all',
    },
    {
      name: 'of a module, whose status is not its own',
      given: {
        line: { moduleId: 'm1', status: 'enabled', statusReason: 'x' },
        found: { ...DEVICE, moduleId: 'm1', status: 'disabled' },
      },
      expected: 'all',
    },
  ])('$name', judge);
});

describe('of keys and certificates', () => {
  const keys = (primaryKey: string, secondaryKey = key('b')) => ({
    authentication: { type: 'sas', symmetricKey: { primaryKey, secondaryKey } },
  });
  test.for<AgreementRow>([
    { name: 'the same keys', given: { line: keys(key('a')) }, expected: 'all' },
    { name: 'another key', given: { line: keys(key('c')) }, expected: 'none' },
    { name: 'another second key', given: { line: keys(key('a'), key('c')) }, expected: 'none' },
    {
      name: 'a key in another case, which is another key',
      given: { line: keys(key('a').toLowerCase()) },
      expected: 'none',
    },
    { name: 'no keys are asked for', given: { line: { authentication: { type: 'sas' } } }, expected: 'all' },
    {
      name: 'keys are left to the hub',
      given: { line: { authentication: { type: 'sas', symmetricKey: { primaryKey: null } } } },
      expected: 'all',
    },
    { name: 'another type', given: { line: { authentication: { type: 'certificateAuthority' } } }, expected: 'none' },
    {
      name: 'a type, where an export shows none',
      given: { line: { authentication: { type: 'sas' } }, found: { ...DEVICE, authentication: null } },
      expected: 'none',
    },
    { name: 'nothing is asked', given: { line: { authentication: null } }, expected: 'all' },
    {
      name: 'a thumbprint in another case, which is the same',
      given: {
        line: { authentication: x509('ab'.repeat(20)) },
        found: { ...DEVICE, authentication: x509('AB'.repeat(20)) },
      },
      expected: 'all',
    },
    {
      name: 'another thumbprint',
      given: {
        line: { authentication: x509('ab'.repeat(20)) },
        found: { ...DEVICE, authentication: x509('cd'.repeat(20)) },
      },
      expected: 'none',
    },
    { name: 'new keys, and those from before', given: { line: { keyBefore: key('a') } }, expected: 'none' },
    { name: 'new keys, and others than before', given: { line: { keyBefore: key('c') } }, expected: 'all' },
    { name: 'new keys, where there were none before', given: { line: { keyBefore: '' } }, expected: 'all' },
    {
      name: 'new keys, where there are none',
      given: {
        line: { keyBefore: '' },
        found: { ...DEVICE, authentication: { type: 'selfSigned', x509Thumbprint: {} } },
      },
      expected: 'none',
    },
  ])('$name', judge);
});

describe('of a twin that is written whole', () => {
  test.for<AgreementRow>([
    { name: 'nothing is given', given: { line: { tags: null } }, expected: 'all' },
    {
      name: 'the same in another order',
      given: { line: { tags: { rack: { row: 3 }, site: 'faro' } } },
      expected: 'all',
    },
    {
      name: 'nulls and empty objects, which stand for nothing',
      given: { line: { tags: { ...DEVICE.tags, gone: null, empty: {} } } },
      expected: 'all',
    },
    {
      name: 'what hubs add to a section',
      given: { line: desired({ ...DEVICE.properties.desired, $version: 3 }) },
      expected: 'all',
    },
    {
      name: 'what hubs add to a section that is there',
      given: {
        line: desired(DEVICE.properties.desired),
        found: { ...DEVICE, properties: { desired: { ...DEVICE.properties.desired, $metadata: {}, $version: 3 } } },
      },
      expected: 'all',
    },
    {
      name: 'numbers that are written otherwise',
      given: { line: JSON.parse('{"tags":{"site":"faro","rack":{"row":3.0}}}') },
      expected: 'all',
    },
    {
      name: 'text of any alphabet',
      given: { line: { tags: { größe: '泵😀' } }, found: { ...DEVICE, tags: { größe: '泵😀' } } },
      expected: 'all',
    },
    {
      name: 'text that looks the same and is written otherwise',
      given: { line: { tags: { a: 'caf\u00e9' } }, found: { ...DEVICE, tags: { a: 'cafe\u0301' } } },
      expected: 'none',
    },
    {
      name: 'a key in another case, which is another key',
      given: { line: { tags: { Site: 'faro' } }, found: { ...DEVICE, tags: { site: 'faro' } } },
      expected: 'none',
    },
    { name: 'another value', given: { line: { tags: { site: 'lagos' } } }, expected: 'none' },
    { name: 'a key that is not there', given: { line: { tags: { floor: 1 } } }, expected: 'none' },
    { name: 'a number as text', given: { line: { tags: { rack: { row: '3' } } } }, expected: 'none' },
    { name: 'a longer list', given: { line: desired({ list: [1, 2, 3] }) }, expected: 'none' },
    { name: 'a list in another order', given: { line: desired({ interval: 30, list: [2, 1] }) }, expected: 'none' },
    { name: 'nothing, and nothing is there', given: { line: { tags: {} }, found: BARE }, expected: 'all' },
    // A hub that merges leaves what had to go.
    {
      name: 'one key less than there is',
      given: { line: { importMode: 'update', tags: { site: 'faro' } } },
      expected: 'more',
    },
    { name: 'nothing, and something is there', given: { line: { tags: {} } }, expected: 'more' },
    {
      name: 'less within a section',
      given: { line: { importMode: 'updateIfMatchETag', tags: { site: 'faro', rack: {} } } },
      expected: 'more',
    },
    {
      name: 'less of one section, and another is not given',
      given: { line: { importMode: 'create', ...desired({ interval: 30 }) } },
      expected: 'more',
    },
    {
      name: 'less of one section, and other than another',
      given: { line: { tags: { site: 'faro' }, ...desired({ interval: 1 }) } },
      expected: 'none',
    },
    // An identity with an empty twin may be one that the line made.
    {
      name: 'something, and the twin is empty',
      given: { line: { tags: { site: 'faro' } }, found: BARE },
      expected: 'identity',
    },
    {
      name: 'something, and both twin and identity are others',
      given: { line: { status: 'disabled', tags: { site: 'faro' } }, found: BARE },
      expected: 'none',
    },
    {
      name: 'something of a module, whose twin is empty',
      given: { line: { moduleId: 'm', tags: { a: 1 } }, found: { ...BARE, moduleId: 'm' } },
      expected: 'identity',
    },
    // A hub judges identity and twin one by one.
    {
      name: 'the same twin, and another identity',
      given: { line: { importMode: 'updateIfMatchETag', status: 'disabled', tags: DEVICE.tags } },
      expected: 'twin',
    },
    {
      name: 'no twin, and another identity',
      given: { line: { importMode: 'updateIfMatchETag', status: 'disabled' } },
      expected: 'none',
    },
    {
      name: 'another twin, and another identity',
      given: { line: { status: 'disabled', tags: { site: 'lagos' } } },
      expected: 'none',
    },
    {
      name: 'less of the twin, and another identity',
      given: { line: { status: 'disabled', tags: { site: 'faro' } } },
      expected: 'none',
    },
    {
      name: 'what was merged under an ETag, less than there is',
      given: { line: { importMode: 'updateTwinIfMatchETag', tags: { site: 'faro' } } },
      expected: 'more',
    },
    {
      name: 'what was merged under an ETag, the same',
      given: { line: { importMode: 'updateTwinIfMatchETag', tags: DEVICE.tags } },
      expected: 'all',
    },
    {
      name: 'of a module, one key less than there is',
      given: { line: { moduleId: 'm', tags: { site: 'faro' } }, found: { ...DEVICE, moduleId: 'm' } },
      expected: 'more',
    },
  ])('$name', judge);
});

describe('of a patch', () => {
  const patch = (fields: object) => ({ line: { importMode: 'updateTwin', ...fields } });
  test.for<AgreementRow>([
    { name: 'what is there', given: patch({ tags: { rack: { row: 3 } } }), expected: 'all' },
    { name: 'whatever it says of the status', given: patch({ status: 'disabled' }), expected: 'all' },
    { name: 'whatever it says of keys', given: patch({ authentication: { type: 'selfSigned' } }), expected: 'all' },
    {
      name: 'the mode in other case',
      given: patch({ importMode: 'UpdateTwin', tags: { site: 'faro' } }),
      expected: 'all',
    },
    { name: 'a removed key that is not there', given: patch({ tags: { gone: null } }), expected: 'all' },
    {
      name: 'a removed key where nothing is at all',
      given: patch({ tags: { a: { b: { c: null } } } }),
      expected: 'all',
    },
    { name: 'a removed key that is there', given: patch({ tags: { site: null } }), expected: 'none' },
    { name: 'another value', given: patch({ tags: { site: 'lagos' } }), expected: 'none' },
    { name: 'a part of a list', given: patch(desired({ list: [1] })), expected: 'none' },
    { name: 'a value where an object is', given: patch({ tags: { rack: 3 } }), expected: 'none' },
    { name: 'an object where a value is', given: patch({ tags: { site: { a: null } } }), expected: 'none' },
    { name: 'an empty object where an object is', given: patch({ tags: { rack: {} } }), expected: 'all' },
    {
      name: 'something of a twin that is empty',
      given: { ...patch({ tags: { a: 1 } }), found: BARE },
      expected: 'identity',
    },
    { name: 'what hubs add to a section', given: patch(desired({ $version: 9, $metadata: {} })), expected: 'all' },
  ])('$name', judge);
});
