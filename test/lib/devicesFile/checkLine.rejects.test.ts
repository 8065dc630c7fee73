import { describe, expect, it } from 'vitest';
import type { CheckOptions } from '../../../src/lib/devicesFile/checkTypes.ts';
import { REJECT_REASONS, type RejectCode } from '../../../src/lib/devicesFile/reasons.ts';
import { type Checked, CREATE, CSV, checkText, KEY_1, KEY_2, line, SAS, wholeDevice } from './checkText.ts';

interface Case {
  readonly name: string;
  readonly code: RejectCode;
  readonly text: string | Uint8Array;
  readonly options?: CheckOptions;
  /** Part of the reason. */
  readonly says: string | RegExp;
  readonly path?: string;
  readonly column?: number;
}

const x = (depth: number): unknown => (depth === 0 ? 1 : { a: x(depth - 1) });
const keys = (primaryKey: unknown, secondaryKey: unknown) => ({
  id: 'd',
  authentication: { type: 'sas', symmetricKey: { primaryKey, secondaryKey } },
});
const thumbprint = (primaryThumbprint: unknown) => ({
  id: 'd',
  authentication: { type: 'selfSigned', x509Thumbprint: { primaryThumbprint } },
});
const PRIMARY = 'authentication.symmetricKey.primaryKey';
const THUMBPRINT = 'authentication.x509Thumbprint.primaryThumbprint';

/** At least one line for each code; rejected in mode create unless `options` say otherwise. */
const CASES: readonly Case[] = [
  {
    name: 'a line that is too long',
    code: 'lineTooLong',
    text: line({ id: 'd', tags: { a: 'x'.repeat(200) } }),
    options: { ...CREATE, maxLineBytes: 100 },
    says: /has \d+ bytes; the longest that is read has 100/,
  },
  {
    name: 'a byte that is no UTF-8',
    code: 'badUtf8',
    text: Buffer.from('{"id":"d\xff"}\n', 'latin1'),
    says: 'byte 9',
    column: 9,
  },
  {
    name: 'half a character at the end',
    code: 'badUtf8',
    text: Buffer.concat([Buffer.from('{"id":"d'), Buffer.from([0xe2, 0x82])]),
    says: 'byte 9',
    column: 9,
  },
  {
    name: 'a surrogate in UTF-8',
    code: 'badUtf8',
    text: Buffer.concat([Buffer.from('{"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('":1}')]),
    says: 'byte 3',
    column: 3,
  },
  { name: 'a trailing comma', code: 'badJson', text: '{"id":"d",}', says: 'a comma stands before "}"', column: 11 },
  { name: 'single quotes', code: 'badJson', text: "{'id':'d'}", says: 'single quotes', column: 2 },
  {
    name: 'an object spread over lines',
    code: 'badJson',
    text: '{"id":"d",\n"status":"enabled"}',
    says: 'a device must be on one line',
    column: 11,
  },
  {
    name: 'a comma after the object',
    code: 'badJson',
    text: '{"id":"d"},',
    says: 'a comma follows the object',
    column: 11,
  },
  {
    name: 'two objects on a line',
    code: 'badJson',
    text: '{"id":"d"}{"id":"e"}',
    says: 'something follows the object',
    column: 11,
  },
  {
    name: 'a value that is not JSON',
    code: 'badJson',
    text: '{"id":"d","tags":None}',
    says: 'a value is expected',
    column: 18,
  },
  { name: 'a tab in a string', code: 'badJson', text: '{"id":"a\tb"}', says: 'control character', column: 9 },
  { name: 'text on a later line', code: 'notAnObject', text: '{"id":"d"}\nhello\n', says: 'does not start with "{"' },
  {
    name: 'unknown nesting without end',
    code: 'nestedTooDeep',
    text: `{"id":"d","other":${'['.repeat(100)}${']'.repeat(100)}}`,
    says: 'more than 64 levels',
    path: 'other',
  },
  {
    name: 'reported properties without end',
    code: 'nestedTooDeep',
    text: line({ id: 'd', properties: { reported: x(70) } }),
    says: 'properties.reported',
    path: 'properties.reported',
  },
  {
    name: 'one key in two spellings',
    code: 'keyTwice',
    text: '{"id":"d","status":"enabled","Status":"disabled"}',
    says: 'status is there more than once',
    path: 'status',
  },
  {
    name: 'one inner key in two spellings',
    code: 'keyTwice',
    text: '{"id":"d","authentication":{"type":"sas","Type":"sas"}}',
    says: 'authentication.type',
    path: 'authentication.type',
  },
  { name: 'an id that is a number', code: 'wrongType', text: '{"id":5}', says: 'id must be a string', path: 'id' },
  { name: 'an empty id', code: 'wrongType', text: '{"id":""}', says: 'id must be a name', path: 'id' },
  {
    name: 'an empty moduleId',
    code: 'wrongType',
    text: '{"id":"d","moduleId":""}',
    says: 'moduleId must be a name',
    path: 'moduleId',
  },
  {
    name: 'tags that are a list',
    code: 'wrongType',
    text: '{"id":"d","tags":[]}',
    says: 'tags must be an object',
    path: 'tags',
  },
  {
    name: 'properties that are text',
    code: 'wrongType',
    text: '{"id":"d","properties":"x"}',
    says: 'properties must be an object',
    path: 'properties',
  },
  {
    name: 'desired properties that are a number',
    code: 'wrongType',
    text: '{"id":"d","properties":{"desired":1}}',
    says: 'properties.desired must be an object',
    path: 'properties.desired',
  },
  {
    name: 'reported properties that are a list',
    code: 'wrongType',
    text: '{"id":"d","properties":{"reported":[]}}',
    says: 'properties.reported must be an object',
    path: 'properties.reported',
  },
  {
    name: 'iotEdge in quotes',
    code: 'wrongType',
    text: '{"id":"d","capabilities":{"iotEdge":"true"}}',
    says: 'must be true or false',
    path: 'capabilities.iotEdge',
  },
  {
    name: 'capabilities that are a flag',
    code: 'wrongType',
    text: '{"id":"d","capabilities":true}',
    says: 'capabilities must be an object',
    path: 'capabilities',
  },
  {
    name: 'a key that is a number',
    code: 'wrongType',
    text: line(keys(5, KEY_1)),
    says: 'must be a string',
    path: PRIMARY,
  },
  {
    name: 'an etag that is a number',
    code: 'wrongType',
    text: '{"id":"d","eTag":5}',
    says: 'eTag must be a string',
    path: 'eTag',
  },
  {
    name: 'a statusReason that is an object',
    code: 'wrongType',
    text: '{"id":"d","statusReason":{}}',
    says: 'statusReason must be a string',
    path: 'statusReason',
  },
  {
    name: 'authentication that is text',
    code: 'wrongType',
    text: '{"id":"d","authentication":"sas"}',
    says: 'authentication must be an object',
    path: 'authentication',
  },
  {
    name: 'a deviceScope that is a list',
    code: 'wrongType',
    text: '{"id":"d","deviceScope":[]}',
    says: 'deviceScope must be a string',
    path: 'deviceScope',
  },
  {
    name: 'parentScopes that are text',
    code: 'wrongType',
    text: '{"id":"d","parentScopes":"x"}',
    says: 'parentScopes must be an array of strings',
    path: 'parentScopes',
  },
  { name: 'no id', code: 'idMissing', text: '{"status":"enabled"}', says: 'has no "id"', path: 'id' },
  {
    name: 'deviceId instead of id',
    code: 'idMissing',
    text: '{"deviceId":"d"}',
    says: 'it has "deviceId"',
    path: 'id',
  },
  {
    name: 'an id of 129 characters',
    code: 'idTooLong',
    text: line({ id: 'd'.repeat(129) }),
    says: 'has 129 characters; a hub takes at most 128',
    path: 'id',
  },
  {
    name: 'a moduleId of 129 characters',
    code: 'idTooLong',
    text: line({ id: 'd', moduleId: 'm'.repeat(129) }),
    says: 'moduleId has 129',
    path: 'moduleId',
  },
  {
    name: 'a slash in the id',
    code: 'idCharacters',
    text: '{"id":"a/b"}',
    says: 'position 2 that a hub does not take (U+002F "/")',
    path: 'id',
  },
  {
    name: 'a blank in the id',
    code: 'idCharacters',
    text: '{"id":"a b"}',
    says: 'position 2 that a hub does not take (a blank)',
    path: 'id',
  },
  {
    name: 'an umlaut in the moduleId',
    code: 'idCharacters',
    text: '{"id":"d","moduleId":"m\u00f6"}',
    says: 'U+00F6',
    path: 'moduleId',
  },
  {
    name: 'an unknown import mode',
    code: 'importModeUnknown',
    text: '{"id":"d","importMode":"upsert"}',
    says: 'none of create, createOrUpdate,',
    path: 'importMode',
  },
  {
    name: 'an import mode that is a number',
    code: 'importModeUnknown',
    text: '{"id":"d","importMode":0}',
    says: 'none of',
    path: 'importMode',
  },
  {
    name: 'an unknown status',
    code: 'statusUnknown',
    text: '{"id":"d","status":"active"}',
    says: 'neither "enabled" nor "disabled"',
    path: 'status',
  },
  {
    name: 'a status that is a flag',
    code: 'statusUnknown',
    text: '{"id":"d","status":true}',
    says: 'neither',
    path: 'status',
  },
  {
    name: 'a statusReason of 129 characters',
    code: 'statusReasonTooLong',
    text: line({ id: 'd', statusReason: 'r'.repeat(129) }),
    says: '129 characters',
    path: 'statusReason',
  },
  {
    name: 'SELF_SIGNED',
    code: 'authTypeUnknown',
    text: '{"id":"d","authentication":{"type":"SELF_SIGNED"}}',
    says: 'Write "selfSigned"',
    path: 'authentication.type',
  },
  {
    name: 'an unknown type',
    code: 'authTypeUnknown',
    text: '{"id":"d","authentication":{"type":"tpm"}}',
    says: 'Use one of these',
    path: 'authentication.type',
  },
  {
    name: 'a type that is a number',
    code: 'authTypeUnknown',
    text: '{"id":"d","authentication":{"type":1}}',
    says: 'none of "sas"',
    path: 'authentication.type',
  },
  {
    name: 'thumbprints without type',
    code: 'authTypeMissing',
    text: line({ id: 'd', authentication: { x509Thumbprint: { primaryThumbprint: 'a'.repeat(40) } } }),
    says: 'Add "type": "selfSigned"',
    path: 'authentication.type',
  },
  {
    name: 'type none',
    code: 'authNone',
    text: '{"id":"d","authentication":{"type":"none"}}',
    says: 'not possible for a device',
    path: 'authentication.type',
  },
  {
    name: 'the primary key alone',
    code: 'oneKeyOnly',
    text: line(keys(KEY_1, null)),
    says: 'secondaryKey is missing',
    path: 'authentication.symmetricKey.secondaryKey',
  },
  {
    name: 'the secondary key alone',
    code: 'oneKeyOnly',
    text: line(keys('', KEY_1)),
    says: 'primaryKey is missing',
    path: PRIMARY,
  },
  {
    name: 'a key that is not base64',
    code: 'keyNotBase64',
    text: line(keys('not base64, surely not!!', KEY_1)),
    says: 'is not base64',
    path: PRIMARY,
  },
  {
    name: 'a key without its padding',
    code: 'keyNotBase64',
    text: line(keys(KEY_1.slice(0, -1), KEY_2)),
    says: 'with padding',
    path: PRIMARY,
  },
  {
    name: 'a key of 15 bytes',
    code: 'keyLength',
    text: line(keys(Buffer.alloc(15).toString('base64'), KEY_1)),
    says: 'holds 15 bytes; a key has 16 to 64',
    path: PRIMARY,
  },
  {
    name: 'a key of 65 bytes',
    code: 'keyLength',
    text: line(keys(Buffer.alloc(65).toString('base64'), KEY_1)),
    says: 'holds 65 bytes',
    path: PRIMARY,
  },
  {
    name: 'keys with certificateAuthority',
    code: 'keysWithCertificate',
    text: line({ id: 'd', authentication: { ...SAS, type: 'certificateAuthority' } }),
    says: 'its type is "certificateAuthority"',
    path: 'authentication.symmetricKey',
  },
  {
    name: 'thumbprints with sas',
    code: 'thumbprintWithoutSelfSigned',
    text: line({ id: 'd', authentication: { type: 'sas', x509Thumbprint: { primaryThumbprint: 'a'.repeat(40) } } }),
    says: 'its type is "sas"',
    path: 'authentication.x509Thumbprint',
  },
  {
    name: 'a thumbprint with colons',
    code: 'thumbprintSeparators',
    text: line(thumbprint(Array.from({ length: 20 }, () => 'AB').join(':'))),
    says: 'Remove the colons',
    path: THUMBPRINT,
  },
  {
    name: 'a thumbprint of 39 digits',
    code: 'thumbprintInvalid',
    text: line(thumbprint('a'.repeat(39))),
    says: '40 (SHA-1) or 64 (SHA-256)',
    path: THUMBPRINT,
  },
  {
    name: 'a certificate for a thumbprint',
    code: 'thumbprintInvalid',
    text: line(thumbprint('-----BEGIN CERTIFICATE-----'.repeat(20))),
    says: 'not the certificate',
    path: THUMBPRINT,
  },
  ...(['createOrUpdateIfMatchETag', 'updateIfMatchETag', 'deleteIfMatchETag'] as const).map(
    (importMode): Case => ({
      name: `${importMode} without etag`,
      code: 'etagMissing',
      text: line(wholeDevice('d', { importMode, eTag: null })),
      says: `use importMode "${importMode.replace('IfMatchETag', '')}"`,
      path: 'eTag',
    }),
  ),
  {
    name: 'updateTwinIfMatchETag without etag',
    code: 'etagMissing',
    text: line({ id: 'd', eTag: 'x', importMode: 'updateTwinIfMatchETag' }),
    says: 'use importMode "updateTwin"',
    path: 'twinETag',
  },
  {
    name: 'an etag of two quotes',
    code: 'etagMissing',
    text: line(wholeDevice('d', { importMode: 'deleteIfMatchETag', eTag: '""' })),
    says: 'no eTag',
    path: 'eTag',
  },
  {
    name: 'a device below itself',
    code: 'parentItself',
    text: '{"id":"d","parent":"d"}',
    says: 'parent names the device itself',
    path: 'parent',
  },
  {
    name: 'an edge device below itself, by scope',
    code: 'parentItself',
    text: '{"id":"d","capabilities":{"iotEdge":true},"parentScopes":["ms-azure-iot-edge://d-1"]}',
    says: 'parentScopes names the device itself',
    path: 'parentScopes',
  },
  {
    name: 'a parent of a module',
    code: 'parentOfModule',
    text: '{"id":"d","moduleId":"m","parent":"edge1"}',
    says: 'only devices have parents',
    path: 'parent',
  },
  {
    name: 'a parent beside the scope of another',
    code: 'parentsDiffer',
    text: '{"id":"d","parent":"edge1","deviceScope":"ms-azure-iot-edge://edge2-1"}',
    says: 'do not name the same parent',
    path: 'parent',
  },
  {
    name: 'no parent beside the scope of one',
    code: 'parentsDiffer',
    text: '{"id":"d","parent":null,"deviceScope":"ms-azure-iot-edge://edge2-1"}',
    says: 'do not name the same parent',
    path: 'parent',
  },
  {
    name: 'a parent beside a scope that cannot be read',
    code: 'parentsDiffer',
    text: '{"id":"d","parent":"edge1","deviceScope":"edge1"}',
    says: 'Keep "parent", and remove the scopes',
    path: 'parent',
  },
  {
    name: 'scopes of two parents',
    code: 'parentsDiffer',
    text: '{"id":"d","parentScopes":["ms-azure-iot-edge://a-1","ms-azure-iot-edge://b-1"]}',
    says: 'do not name the same parent',
    path: 'parent',
  },
  {
    name: 'an empty parent',
    code: 'wrongType',
    text: '{"id":"d","parent":""}',
    says: 'parent must be a name, not an empty string',
    path: 'parent',
  },
  {
    name: 'a parent that is no id',
    code: 'idCharacters',
    text: '{"id":"d","parent":"edge 1"}',
    says: 'parent has a character at position 5',
    path: 'parent',
  },
  {
    name: 'a parent written twice in different case',
    code: 'keyTwice',
    text: '{"id":"d","parent":"a","Parent":"a"}',
    says: 'parent is there more than once',
    path: 'parent',
  },
  {
    name: 'tags of more than 8 KB',
    code: 'tagsTooLarge',
    text: line({ id: 'd', tags: Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`t${n}`, 'x'.repeat(1000)])) }),
    says: 'tags have 9018 bytes',
    path: 'tags',
  },
  {
    name: 'desired properties of more than 32 KB',
    code: 'desiredTooLarge',
    text: line({
      id: 'd',
      properties: { desired: Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`t${n}`, 'x'.repeat(4000)])) },
    }),
    says: 'has 36018 bytes',
    path: 'properties.desired',
  },
  {
    name: 'tags 11 objects deep',
    code: 'twinTooDeep',
    text: line({ id: 'd', tags: x(12) }),
    says: 'tags.a.a.a.a.a.a.a.a.a.a.a is nested deeper than 10 levels',
    path: 'tags.a.a.a.a.a.a.a.a.a.a.a',
  },
  {
    name: 'desired properties 11 lists deep',
    code: 'twinTooDeep',
    text: `{"id":"d","properties":{"desired":{"a":${'['.repeat(11)}${']'.repeat(11)}}}}`,
    says: '[0][0]',
    path: `properties.desired.a${'[0]'.repeat(10)}`,
  },
  {
    name: 'a twin key of 1025 bytes',
    code: 'twinKeyTooLong',
    text: line({ id: 'd', tags: { ['k'.repeat(1025)]: 1 } }),
    says: 'has 1025 bytes; a hub takes at most 1024',
    path: 'tags',
  },
  ...['.', '$', '#', ' ', '\u0007', '\u007f', '\u0085'].map(
    (character): Case => ({
      name: `a twin key with U+${character.codePointAt(0)?.toString(16)}`,
      code: 'twinKeyCharacters',
      text: line({ id: 'd', tags: { [`a${character}b`]: 1 } }),
      says: 'A key in tags has a character',
      path: 'tags',
    }),
  ),
  {
    name: 'a twin string of 4097 bytes',
    code: 'twinStringTooLong',
    text: line({ id: 'd', tags: { a: 'x'.repeat(4097) } }),
    says: 'tags.a has 4097 bytes',
    path: 'tags.a',
  },
  {
    name: 'a twin string of 2,000 characters and 6,000 bytes',
    code: 'twinStringTooLong',
    text: line({ id: 'd', tags: { a: '\u20ac'.repeat(2000) } }),
    says: 'tags.a has 6000 bytes',
    path: 'tags.a',
  },
  {
    name: 'an integer that is too large',
    code: 'twinNumberRange',
    text: '{"id":"d","tags":{"n":[1,4503599627370496]}}',
    says: '(-4503599627370496 to 4503599627370495)',
    path: 'tags.n[1]',
  },
  {
    name: 'an integer that is too small',
    code: 'twinNumberRange',
    text: '{"id":"d","tags":{"n":-4503599627370497}}',
    says: 'tags.n is an integer beyond',
    path: 'tags.n',
  },
  {
    name: 'an integer that is too large, beside a float of its value, under a key in another case',
    code: 'twinNumberRange',
    text: '{"id":"d","Properties":{"Desired":{"f":1.5e16,"n":15000000000000000}}}',
    says: 'properties.desired.n is an integer beyond',
    path: 'properties.desired.n',
  },
  {
    name: 'a number beyond all floats',
    code: 'twinNumberTooLarge',
    text: '{"id":"d","properties":{"desired":{"n":1e999}}}',
    says: 'properties.desired.n',
    path: 'properties.desired.n',
  },
  ...[
    ['a null in a list', 'create', '{"list":["a",null,"b"]}', 'list[1]'],
    ['a null in an object in a list', 'createOrUpdate', '{"list":[{"a":null}]}', 'list[0].a'],
    ['a null in a list in a list', 'update', '{"list":[[1,null]]}', 'list[0][1]'],
    ['a null in a list in an object', 'updateTwin', '{"a":{"list":[1,null]}}', 'a.list[1]'],
    ['a null below objects in a list', 'updateTwinIfMatchETag', '{"list":[{"a":{"b":{"c":null}}}]}', 'list[0].a.b.c'],
  ].flatMap(([name = '', mode = '', section = '', place = '']): Case[] => [
    {
      name: `${name} of tags`,
      code: 'nullInArray',
      text: `{"id":"d","importMode":"${mode}","twinETag":"x","tags":${section}}`,
      says: `tags.${place} is null inside an array`,
      path: `tags.${place}`,
    },
    {
      name: `${name} of desired properties`,
      code: 'nullInArray',
      text: `{"id":"d","importMode":"${mode}","twinETag":"x","properties":{"desired":${section}}}`,
      says: `properties.desired.${place} is null inside an array`,
      path: `properties.desired.${place}`,
    },
  ]),
  {
    name: 'a line with a byte order mark',
    code: 'byteOrderMarkInside',
    text: '{"id":"a"}\n\ufeff{"id":"b"}\n',
    says: 'starts with a byte order mark (U+FEFF)',
  },
  {
    name: 'a line with blanks and a byte order mark',
    code: 'byteOrderMarkInside',
    text: ' \ufeff{"id":"b"}\n',
    says: 'byte order mark',
  },
  {
    name: 'a row with a byte order mark',
    code: 'byteOrderMarkInside',
    text: 'id,tags.a\na,1\n\ufeffid,tags.a\n',
    options: CSV,
    says: 'byte order mark',
  },
  {
    name: 'a second line after a carriage return',
    code: 'badJson',
    text: '{"id":"a"}\n{"id":"b"}\r{"id":"c"}\n',
    says: 'after a carriage return (lines end in LF or CRLF)',
    column: 12,
  },
  ...[
    ['a key', '"primaryKey":"x"', 'primaryKey', 'Write it as authentication.symmetricKey.primaryKey'],
    ['keys', '"symmetricKey":{"primaryKey":"x"}', 'symmetricKey', 'Write it as authentication.symmetricKey.primaryKey'],
    ['a key of two words', '"Primary Key":"x"', 'Primary Key', 'Write it as authentication.symmetricKey.primaryKey'],
    ['a thumbprint', '"thumbprint":"AB"', 'thumbprint', 'authentication.x509Thumbprint.primaryThumbprint'],
    [
      'the thumbprints of a twin',
      '"x509Thumbprint":{"primaryThumbprint":"AB","secondaryThumbprint":null}',
      'x509Thumbprint',
      'authentication.x509Thumbprint.primaryThumbprint',
    ],
    ['the type of a twin', '"authenticationType":"selfSigned"', 'authenticationType', 'authentication.type'],
    ['a connection string', '"connectionString":"HostName=h"', 'connectionString', 'Write it as the format has it'],
    [
      'a thumbprint beside its place',
      '"authentication":{"type":"selfSigned","thumbprint":"AB"}',
      'authentication.thumbprint',
      'authentication.x509Thumbprint.primaryThumbprint',
    ],
    [
      'a thumbprint under another name',
      '"authentication":{"type":"selfSigned","x509Thumbprint":{"secondary":"AB"}}',
      'authentication.x509Thumbprint.secondary',
      'authentication.x509Thumbprint.secondaryThumbprint',
    ],
    [
      'a key under another name',
      '"authentication":{"symmetricKey":{"primary":"AB"}}',
      'authentication.symmetricKey.primary',
      'authentication.symmetricKey.primaryKey',
    ],
  ].map(
    ([name = '', member = '', path = '', says = '']): Case => ({
      name: `${name} where the format has no place for it`,
      code: 'credentialName',
      text: `{"id":"d",${member}}`,
      says: new RegExp(`^${path} looks like a key.*${says}`),
      path,
    }),
  ),
  {
    name: 'a duplicate',
    code: 'duplicate',
    text: `{"id":"d"}\n\n{"id":"d","tags":{}}\n`,
    says: 'a duplicate of line 1: both have the same id.',
  },
  {
    name: 'a duplicate module',
    code: 'duplicate',
    text: `{"id":"d","moduleId":"m"}\n{"id":"d"}\n{"id":"d","moduleId":"m"}\n`,
    says: 'both have the same id and moduleId.',
  },
  {
    name: 'a line that leaves out what nobody can fill in',
    code: 'leavesOut',
    text: line({ id: 'd', status: 'enabled', importMode: 'update' }),
    options: { ...CREATE, mustSay: ['authentication', 'status', 'capabilities'] },
    says: /leaves out authentication, capabilities;/,
    path: 'authentication',
  },
  {
    name: 'a line that merges into what nobody reads',
    code: 'cannotMerge',
    text: line({ id: 'd', status: 'enabled', importMode: 'updateTwin', tags: { a: 1 } }),
    options: { ...CREATE, noMerging: true },
    says: /"updateTwin" merges .* importMode "update"/,
    path: 'importMode',
  },
  {
    name: 'a row of CSV with a cell too much',
    code: 'tooManyCells',
    text: 'id,tags.site\nd,Oslo, east\n',
    options: CSV,
    says: 'The row has 3 cells, the header has 2.',
  },
];

describe('lines that are rejected', () => {
  it.each(CASES)('$code: $name', async ({ code, text, options = CREATE, says, path, column }) => {
    const { rejected } = await checkText(text, options);
    const [first] = rejected;
    expect(first).toMatchObject({ code });
    expect(`${first?.reason} ${first?.action}`).toMatch(says);
    expect(first?.path).toBe(path);
    expect(first?.column).toBe(column);
  });

  it('has a case for every code', () => {
    expect(new Set(CASES.map(({ code }) => code))).toEqual(new Set(Object.keys(REJECT_REASONS)));
  });

  it('gives the line as it came', async () => {
    const text = '{"id":"d"}\n  {"id":5, "tags":{"city":"K\u00f6ln"}}\r\n';
    const { rejected } = await checkText(text);
    expect(rejected).toHaveLength(1);
    expect(Buffer.from(rejected[0]?.raw ?? []).toString()).toBe('  {"id":5, "tags":{"city":"K\u00f6ln"}}\r');
    expect(rejected[0]?.line).toBe(2);
  });

  it('gives a long line whole, and of one too long to be read a start that is rejected again', async () => {
    const long = line({ id: 'd', status: 'x', tags: { a: 'x'.repeat(900_000) } });
    // Its start is an object with blanks after it: by itself it would be a good line.
    const tooLong = `${JSON.stringify({ id: 'e' })}${' '.repeat(1_100_000)}${JSON.stringify({ id: 'f' })}\n`;
    const { rejected } = await checkText(long + tooLong, CREATE, 64 * 1024);
    const [whole = '', cut = ''] = rejected.map(({ raw }) => Buffer.from(raw).toString());
    expect(`${whole}\n` === long).toBe(true);
    expect(cut.slice(65_536)).toBe(` [cut off here: the line had ${tooLong.length - 1} bytes]`);
    expect(rejected[1]?.action).toContain('only the start of it');

    const again = await checkText(`${cut}\n`);
    expect(again.accepted).toEqual([]);
    expect(again.rejected).toMatchObject([{ code: 'badJson', column: expect.any(Number) }]);
  });

  it('names the identity where it is one', async () => {
    const { rejected }: Checked = await checkText(
      line({ id: 'd1', status: 'x' }) +
        line({ id: 'd2', moduleId: 'm2', status: 'x' }) +
        line({ id: 'a/b', status: 'x' }),
    );
    expect(rejected.map(({ id, moduleId }) => [id, moduleId])).toEqual([
      ['d1', undefined],
      ['d2', 'm2'],
      [undefined, undefined],
    ]);
  });

  it('tells all problems of a line at once', async () => {
    const { rejected } = await checkText(line({ id: 'a/b', status: 'x', importMode: 'y', tags: [] }));
    expect(rejected).toHaveLength(1);
    for (const part of ['id has a character', 'status is neither', 'importMode is none', 'tags must be']) {
      expect(rejected[0]?.reason).toContain(part);
    }
  });

  it('tells apart what is wrong and what to do, each once', async () => {
    const { rejected } = await checkText(line({ id: 'd', tags: { 'a b': 1, 'c d': 2 } }));
    expect(rejected).toMatchObject([{ code: 'twinKeyCharacters', action: 'Rename the key.' }]);
    expect(rejected[0]?.reason.match(/A key in tags has a character/g)).toHaveLength(2);
    expect(rejected[0]?.reason).not.toContain('Rename');
  });

  it('counts the problems that it does not tell', async () => {
    const tags = Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`a b${n}`, 1]));
    const { rejected } = await checkText(line({ id: 'd', tags }));
    expect(rejected[0]?.reason).toContain('The line has 20 more problems.');
  });
});
