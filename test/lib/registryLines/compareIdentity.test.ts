import { describe, expect, it } from 'vitest';

import { comparedLine } from '../../../src/lib/registryLines/comparedLine.ts';
import { compareIdentity } from '../../../src/lib/registryLines/compareIdentity.ts';
import type { Fields } from '../../../src/lib/registryLines/differences.ts';
import { parseAsWritten } from '../../../src/lib/registryLines/exactJson.ts';
import { LineDigest } from '../../../src/lib/registryLines/lineDigest.ts';
import type { SnapshotKeys } from '../../../src/lib/registryLines/snapshot.ts';

const KEY = 'cHJpbWFyeUtleW9mYWRldmljZTAwMDA=';
const OTHER = 'c2Vjb25kYXJ5S2V5b2ZhZGV2aWNlMDA=';
const sas = (primaryKey: string | null = KEY, secondaryKey: string | null = OTHER) =>
  `"authentication":{"symmetricKey":{"primaryKey":${JSON.stringify(primaryKey)},"secondaryKey":${JSON.stringify(secondaryKey)}},"type":"sas"}`;
const x509 = (primary: string | null, secondary: string | null = null, type = 'selfSigned') =>
  `"authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":null},"x509Thumbprint":{"primaryThumbprint":${JSON.stringify(primary)},"secondaryThumbprint":${JSON.stringify(secondary)}},"type":"${type}"}`;
const PRINT = 'AB'.repeat(20);
const deep = (levels: number, end: string) => `"tags":${'{"a":'.repeat(levels)}${end}${'}'.repeat(levels)}`;

const digest = new LineDigest();
const digestOf = (text: string) => digest.of(comparedLine(parseAsWritten(text) as Fields));

const difference = (
  before: string,
  after: string,
  { start = '"id":"d"', keys = ['included', 'included'] as readonly [SnapshotKeys, SnapshotKeys] } = {},
) => {
  const line = (members: string) => `{${start}${members === '' ? '' : ','}${members}}`;
  const found = compareIdentity({ text: line(before), keys: keys[0] }, { text: line(after), keys: keys[1] });
  // The short way must never say that lines are the same which are not.
  const [one, other] = [digestOf(line(before)), digestOf(line(after))];
  if (found.fields.length > 0 || found.keysUnknown) expect(one === '' || one !== other).toBe(true);
  return found;
};

describe('of two lines of a device these are equal:', () => {
  it.each([
    [
      'the order of keys',
      '"tags":{"a":1,"b":{"c":2,"d":3}},"status":"enabled"',
      '"status":"enabled","tags":{"b":{"d":3,"c":2},"a":1}',
    ],
    ['blanks', '"tags":{"a":1}', ' "tags" : { "a" : 1 } '],
    ['1.0 and 1', '"tags":{"a":1.0}', '"tags":{"a":1}'],
    ['1e2 and 100', '"tags":{"a":1e2}', '"tags":{"a":100}'],
    ['-0 and 0', '"tags":{"a":-0}', '"tags":{"a":0}'],
    ['a large integer, with and without fraction', '"tags":{"a":9007199254740993.0}', '"tags":{"a":9007199254740993}'],
    ['a large integer, with and without exponent', '"tags":{"a":9007199254740993}', '"tags":{"a":900719925474099.3e1}'],
    ['a round number with an exponent, and with its zeros', '"tags":{"a":1e20}', '"tags":{"a":100000000000000000000}'],
    ['what is beyond doubles, however written', '"tags":{"a":1e400}', '"tags":{"a":10.0e399}'],
    ['zero with many digits', '"tags":{"a":0.00000000000000000000}', '"tags":{"a":0}'],
    ['escapes and characters', '"tags":{"a":"\\u00fc\\/"}', '"tags":{"a":"ü/"}'],
    ['ETags', '"eTag":"a","etag":"a","twinETag":"x","deviceEtag":"1","version":3', '"eTag":"b","twinETag":"y"'],
    [
      'generation, times and connection',
      '"generationId":"1","connectionState":"Connected","connectionStateUpdatedTime":"t","lastActivityTime":"t","statusUpdatedTime":"t","statusUpdateTime":"t","cloudToDeviceMessageCount":3',
      '"generationId":"2"',
    ],
    ['the import mode', '"importMode":"update"', '"importMode":"createOrUpdate"'],
    ['a null moduleId and none', '"moduleId":null', ''],
    ['reported properties', '"properties":{"reported":{"a":1}}', '"properties":{"desired":{},"reported":{"a":2}}'],
    [
      '$metadata and $version',
      '"properties":{"desired":{"a":1,"$version":3,"$metadata":{"$lastUpdated":"t"}}},"tags":{"$version":2}',
      '"properties":{"desired":{"a":1,"$version":4}}',
    ],
    ['absent and null tags', '"tags":null', ''],
    ['absent and empty tags', '"tags":{}', ''],
    ['null and "" tags', '"tags":null', '"tags":""'],
    ['absent and empty properties', '"properties":{}', ''],
    ['absent and null properties', '"properties":null', '"properties":{"desired":null}'],
    ['empty and null desired properties', '"properties":{"desired":{}}', '"properties":{"desired":null,"reported":{}}'],
    ['absent and null statusReason', '"statusReason":null', ''],
    ['absent and "" statusReason', '"statusReason":""', ''],
    ['{} and null statusReason', '"statusReason":{}', '"statusReason":null'],
    ['absent and null capabilities', '"capabilities":null', ''],
    ['absent and empty capabilities', '"capabilities":{}', ''],
    ['absent and unset capabilities', '"capabilities":{"iotEdge":false}', ''],
    ['the case of a capability', '"capabilities":{"iotEdge":true}', '"capabilities":{"iotedge":true}'],
    ['a property that is null and one that is not there', '"tags":{"a":{"b":null,"c":1}}', '"tags":{"a":{"c":1}}'],
    ['the case of the status', '"status":"Enabled"', '"status":"enabled"'],
    ['no status and enabled', '', '"status":"enabled"'],
    [
      'the case of the type',
      '"authentication":{"type":"CertificateAuthority"}',
      '"authentication":{"type":"certificateAuthority"}',
    ],
    ['the case of thumbprints', x509(PRINT), x509(PRINT.toLowerCase())],
    [
      'thumbprints that are null and none',
      '"authentication":{"type":"certificateAuthority","x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null}}',
      '"authentication":{"type":"certificateAuthority"}',
    ],
    [
      'null thumbprints beside keys',
      `"authentication":{"symmetricKey":{"primaryKey":"${KEY}","secondaryKey":"${OTHER}"},"x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"type":"sas"}`,
      sas(),
    ],
    [
      'keys without and with their type',
      `"authentication":{"symmetricKey":{"primaryKey":"${KEY}","secondaryKey":"${OTHER}"}}`,
      sas(),
    ],
    [
      'keys of objects in other case',
      `"Authentication":{"SymmetricKey":{"PrimaryKey":"${KEY}","SecondaryKey":"${OTHER}"},"Type":"sas"},"Tags":{"a":1}`,
      `${sas()},"tags":{"a":1}`,
    ],
    [
      'scopes of one parent that was made anew',
      '"deviceScope":"ms-azure-iot-edge://gw-637","parentScopes":["ms-azure-iot-edge://gw-637"]',
      '"deviceScope":"ms-azure-iot-edge://gw-999"',
    ],
    ['a parent by id and by scope', '"parent":"gw"', '"parentScopes":["ms-azure-iot-edge://gw-637"]'],
    [
      'scopes of an edge device itself',
      '"deviceScope":"ms-azure-iot-edge://d-1","capabilities":{"iotEdge":true}',
      '"deviceScope":"ms-azure-iot-edge://d-2","capabilities":{"iotEdge":true},"parentScopes":[]',
    ],
    [
      'a scope of an edge device itself and none',
      '"deviceScope":"ms-azure-iot-edge://d-","capabilities":{"iotEdge":true}',
      '"deviceScope":null,"parentScopes":null,"capabilities":{"iotEdge":true}',
    ],
    ['managedBy that only one line can have', '"managedBy":"iotEdge"', ''],
    ['what is not known and empty', '"newThing":{}', ''],
  ])('%s', (_, before, after) => {
    expect(difference(before, after)).toEqual({ fields: [], keysUnknown: false });
    expect(difference(after, before)).toEqual({ fields: [], keysUnknown: false });
  });
});

describe('of two lines of a device these differ:', () => {
  it.each([
    ['status', '"status":"enabled"', '"status":"disabled"', ['status']],
    ['no status and disabled', '', '"status":"disabled"', ['status']],
    ['the case of a reason', '"statusReason":"Lost"', '"statusReason":"lost"', ['statusReason']],
    ['a tag', '"tags":{"site":"a","floor":1}', '"tags":{"site":"b","floor":1}', ['tags.site']],
    ['the case of a tag', '"tags":{"site":"a"}', '"tags":{"Site":"a"}', ['tags.Site', 'tags.site']],
    ['an empty text and no tag', '"tags":{"site":""}', '"tags":{}', ['tags.site']],
    ['an empty object in tags and none', '"tags":{"site":{}}', '"tags":{}', ['tags.site']],
    ['all tags', '"tags":{"site":"a","at":{"x":1,"y":2}}', '"tags":null', ['tags.at.x', 'tags.at.y', 'tags.site']],
    ['an object and a number', '"tags":{"a":{"b":1}}', '"tags":{"a":1}', ['tags.a']],
    ['a number and its text', '"tags":{"a":1}', '"tags":{"a":"1"}', ['tags.a']],
    ['true and 1', '"tags":{"a":true}', '"tags":{"a":1}', ['tags.a']],
    ['the order in an array', '"tags":{"a":[1,2]}', '"tags":{"a":[2,1]}', ['tags.a']],
    ['an array and an object', '"tags":{"a":[]}', '"tags":{"a":{}}', ['tags.a']],
    ['something in an array', '"tags":{"a":[{"b":[1,{"c":2}]}]}', '"tags":{"a":[{"b":[1,{"c":3}]}]}', ['tags.a']],
    [
      'desired properties',
      '"properties":{"desired":{"a":{"b":{"c":1}}}}',
      '"properties":{"desired":{"a":{"b":{"c":2}}}}',
      ['properties.desired.a.b.c'],
    ],
    ['integers that are one double', '"tags":{"a":9007199254740992}', '"tags":{"a":9007199254740993}', ['tags.a']],
    ['fractions that are one double', '"tags":{"a":0.1}', '"tags":{"a":0.1000000000000000055}', ['tags.a']],
    ['numbers beyond doubles', '"tags":{"a":1e400}', '"tags":{"a":1e401}', ['tags.a']],
    ['numbers too small for doubles', '"tags":{"a":1e-400}', '"tags":{"a":0}', ['tags.a']],
    ['large numbers in arrays', '"tags":{"a":[9007199254740992]}', '"tags":{"a":[9007199254740993]}', ['tags.a']],
    ['the sign of large numbers', '"tags":{"a":9007199254740993}', '"tags":{"a":-9007199254740993}', ['tags.a']],
    ['a primary key', sas(), sas(OTHER), ['authentication.symmetricKey.primaryKey']],
    ['the case of a key', sas(), sas(KEY.toLowerCase()), ['authentication.symmetricKey.primaryKey']],
    [
      'both keys',
      sas(KEY, OTHER),
      sas(OTHER, KEY),
      ['authentication.symmetricKey.primaryKey', 'authentication.symmetricKey.secondaryKey'],
    ],
    ['one key that is not there', sas(), sas(KEY, null), ['authentication.symmetricKey.secondaryKey']],
    ['a thumbprint', x509(PRINT), x509('CD'.repeat(20)), ['authentication.x509Thumbprint.primaryThumbprint']],
    ['a thumbprint more', x509(PRINT), x509(PRINT, PRINT), ['authentication.x509Thumbprint.secondaryThumbprint']],
    ['thumbprints and none', x509(PRINT), x509(null), ['authentication.x509Thumbprint.primaryThumbprint']],
    ['the type of certificates', x509(null), x509(null, null, 'certificateAuthority'), ['authentication.type']],
    [
      'becoming an edge device',
      '"capabilities":{"iotEdge":false}',
      '"capabilities":{"iotEdge":true}',
      ['capabilities.iotEdge'],
    ],
    [
      'the parent of a leaf',
      '"deviceScope":"ms-azure-iot-edge://gw-1","parentScopes":["ms-azure-iot-edge://gw-1"]',
      '"deviceScope":"ms-azure-iot-edge://gw2-1","parentScopes":["ms-azure-iot-edge://gw2-1"]',
      ['parent'],
    ],
    ['a parent and none', '"deviceScope":"ms-azure-iot-edge://gw-1"', '', ['parent']],
    [
      'the parent of an edge device',
      '"capabilities":{"iotEdge":true},"deviceScope":"ms-azure-iot-edge://d-1","parentScopes":["ms-azure-iot-edge://gw-1"]',
      '"capabilities":{"iotEdge":true},"deviceScope":"ms-azure-iot-edge://d-2"',
      ['parent'],
    ],
    ['scopes of nobody', '"deviceScope":"mine"', '"deviceScope":"yours"', ['parent']],
    ['managedBy', '"managedBy":"iotEdge"', '"managedBy":"me"', ['managedBy']],
    ['what the format does not have yet', '"policy":{"a":{"b":1}}', '"policy":{"a":{"b":2}}', ['policy.a.b']],
    [
      'properties with names of all objects',
      '"tags":{"constructor":{"name":1}}',
      '"tags":{}',
      ['tags.constructor.name'],
    ],
    [
      'properties with the name of a prototype',
      '"tags":{"__proto__":{"a":1}}',
      '"tags":{"__proto__":{"a":2}}',
      ['tags.__proto__.a'],
    ],
    ['tags that are none', '"tags":[1]', '"tags":{"a":1}', ['tags']],
    ['a key in the place of a name', `"tags":{"${KEY}":1}`, '"tags":{}', ['tags.(a name)']],
    [
      'much, in the order of the fields',
      '"status":"enabled","tags":{"b":1,"a":1},"capabilities":{"iotEdge":true}',
      '"status":"disabled","statusReason":"r"',
      ['status', 'statusReason', 'tags.a', 'tags.b', 'capabilities.iotEdge'],
    ],
    ['what is nested without end', deep(5000, '1'), deep(5000, '2'), [`tags.${Array(65).fill('a').join('.')}`]],
    [
      'what is nested without end and large',
      deep(5000, '9007199254740993'),
      deep(5000, '2'),
      [`tags.${Array(65).fill('a').join('.')}`],
    ],
  ])('%s', (_, before, after, fields) => {
    expect(difference(before, after).fields).toEqual(fields);
    expect(difference(after, before).fields).toEqual(fields);
  });
});

describe('a module', () => {
  const of = { start: '"id":"d","moduleId":"m"' };

  it('has no status of its own', () => {
    const [before, after] = ['"status":"enabled"', '"status":"disabled","statusReason":"lost"'];
    expect(difference(before, after, of).fields).toEqual([]);
    expect(difference(before, after, { start: '"id":"d","moduleId":""' }).fields).toEqual(['status', 'statusReason']);
  });

  it('is compared in its keys and twin', () => {
    expect(difference(`${sas()},"tags":{}`, `${sas(OTHER)},"tags":{"a":1}`, of).fields).toEqual([
      'authentication.symmetricKey.primaryKey',
      'tags.a',
    ]);
  });
});

describe('keys that one side lacks are not known, and not changed:', () => {
  const IN: SnapshotKeys = 'included';
  const OUT: SnapshotKeys = 'excluded';
  it.each([
    ['no authentication', '"authentication":null', sas(), [OUT, IN]],
    ['no authentication in a file', '', sas(), [IN, IN]],
    ['an authentication without anything', '"authentication":{}', x509(PRINT), [OUT, IN]],
    ['keys that are null', sas(null, null), sas(), [OUT, IN]],
    ['keys that are null in a file', sas(null, null), sas(), [IN, IN]],
    ['the type alone', '"authentication":{"type":"sas"}', sas(), [IN, IN]],
    ['thumbprints that are null', x509(null), x509(PRINT), [OUT, IN]],
  ] as const)('%s', (_, before, after, keys) => {
    expect(difference(before, after, { keys })).toEqual({ fields: [], keysUnknown: true });
    expect(difference(after, before, { keys: [keys[1], keys[0]] })).toEqual({ fields: [], keysUnknown: true });
  });

  it('but those that both sides have are compared', () => {
    expect(difference(sas(), sas(OTHER), { keys: [OUT, IN] }).fields).toEqual([
      'authentication.symmetricKey.primaryKey',
    ]);
    expect(difference(sas(null, null), x509(PRINT), { keys: [OUT, IN] }).fields).toEqual(['authentication.type']);
  });

  it('and where neither side has any, nothing is missing', () => {
    expect(difference('"authentication":null', '"authentication":{}', { keys: [OUT, OUT] }).keysUnknown).toBe(false);
    expect(difference('"authentication":null,"eTag":"1"', '"authentication":null', { keys: [OUT, OUT] })).toEqual({
      fields: [],
      keysUnknown: false,
    });
  });
});
