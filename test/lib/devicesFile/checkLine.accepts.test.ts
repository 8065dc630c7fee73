import { describe, expect, it } from 'vitest';
import { IMPORT_MODES } from '../../../src/lib/devicesFile/importMode.ts';
import { SKIP_REASONS, WARNINGS, type WarningCode } from '../../../src/lib/devicesFile/reasons.ts';
import { memberMap } from '../../../src/lib/textFile/jsonMembers.ts';
import { CREATE, CSV, checkText, DEFAULTS, KEY_1, KEY_2, line, SAS, wholeDevice } from './checkText.ts';

const x = (depth: number): unknown => (depth === 0 ? 1 : { a: x(depth - 1) });

describe('lines that pass as they came', () => {
  const cases: readonly { name: string; text: string; options?: typeof CREATE }[] = [
    { name: 'a whole device', text: JSON.stringify(wholeDevice('d')) },
    {
      name: 'blanks between the tokens',
      text: '{ "id" : "d" , "status" : "enabled", "tags": { "a" : [ 1 , 2 ] , "b": { } } }',
    },
    { name: 'an id of 128 characters', text: JSON.stringify(wholeDevice('d'.repeat(128))) },
    { name: 'every character that ids have', text: JSON.stringify(wholeDevice("Az09-:.%_*?!(),=@;$'")) },
    {
      name: 'escapes and other alphabets',
      text: '{"id":"d","status":"enabled","tags":{"city":"K\u00f6ln","line":"a\\nb\\u00e9 \ud83d\ude00"}}',
    },
    { name: 'no keys for a new device', text: '{"id":"d","status":"enabled"}' },
    {
      name: 'null authentication for a new device',
      text: '{"id":"d","status":"enabled","authentication":null,"deviceScope":null,"parentScopes":null}',
    },
    ...[20, 32].map((bytes) => ({
      name: `two thumbprints of ${bytes * 2} digits`,
      text: JSON.stringify(
        wholeDevice('d', {
          authentication: {
            type: 'selfSigned',
            x509Thumbprint: { primaryThumbprint: 'aB'.repeat(bytes), secondaryThumbprint: '01'.repeat(bytes) },
          },
        }),
      ),
    })),
    {
      name: 'floats beyond the bounds of integers',
      text: '{"id":"d","status":"enabled","tags":{"a":6.02e23,"b":1.5e16,"c":4503599627370495.5,"d":-1.0E300,"e":[15000000000000000.0]}}',
    },
    {
      name: 'empty keys',
      text: '{"id":"d","status":"enabled","tags":{"":"x","a":{"":1}},"properties":{"desired":{"":{"":[]}}}}',
    },
    {
      name: 'credentials under another name that say nothing, or that the mode does not write',
      text: '{"id":"d","importMode":"delete","status":"enabled","eTag":"x","authentication":null}',
    },
    {
      name: 'a null thumbprint pair beside keys',
      text: JSON.stringify(
        wholeDevice('d', {
          authentication: {
            symmetricKey: SAS.symmetricKey,
            x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
            type: 'sas',
          },
        }),
      ),
    },
    {
      name: 'keys without type',
      text: JSON.stringify(wholeDevice('d', { authentication: { symmetricKey: SAS.symmetricKey } })),
    },
    {
      name: 'keys of 16 and 64 bytes',
      text: JSON.stringify(
        wholeDevice('d', {
          authentication: {
            symmetricKey: {
              primaryKey: Buffer.alloc(16).toString('base64'),
              secondaryKey: Buffer.alloc(64).toString('base64'),
            },
            type: 'sas',
          },
        }),
      ),
    },
    {
      name: 'certificateAuthority',
      text: JSON.stringify(
        wholeDevice('d', {
          authentication: { type: 'certificateAuthority', symmetricKey: { primaryKey: null, secondaryKey: null } },
        }),
      ),
    },
    { name: 'tags ten objects deep', text: JSON.stringify(wholeDevice('d', { tags: x(11) })) },
    {
      name: 'the largest and smallest integers',
      text: '{"id":"d","status":"enabled","tags":{"n":4503599627370495,"m":-4503599627370496,"f":0.12345678901234567,"e":1.5e3}}',
    },
    { name: 'a string of 4096 bytes', text: JSON.stringify(wholeDevice('d', { tags: { a: 'x'.repeat(4096) } })) },
    {
      name: 'tags of 8192 bytes',
      text: JSON.stringify(wholeDevice('d', { tags: { a: 'x'.repeat(4095), b: 'x'.repeat(4095) } })),
    },
    {
      name: 'desired properties of 20 KB',
      text: JSON.stringify(
        wholeDevice('d', {
          properties: {
            desired: Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`p${n}`, 'x'.repeat(1000)])),
          },
        }),
      ),
    },
    {
      name: 'a module with status and capabilities',
      text: JSON.stringify({
        id: 'd',
        moduleId: 'm',
        status: 'enabled',
        authentication: SAS,
        capabilities: { iotEdge: false },
      }),
    },
    {
      name: 'a null that deletes a tag',
      text: '{"id":"d","importMode":"updateTwin","status":"enabled","tags":{"old":null}}',
    },
    {
      name: 'bad keys in a delete, where they have no effect',
      text: '{"id":"d","importMode":"delete","status":"enabled","authentication":{"symmetricKey":{"primaryKey":"x"}},"tags":{"a b":1}}',
    },
  ];

  it.each(cases)('$name', async ({ text }) => {
    const named = text.includes('"importMode"') ? text : text.replace('{', '{"importMode":"create",');
    const { accepted, rejected, warnings } = await checkText(`${named}\n`);
    expect(rejected).toEqual([]);
    expect(warnings).toEqual([]);
    expect(accepted[0]?.text).toBe(named);
  });

  it.each(IMPORT_MODES)('takes %s in any case, and writes it as documented', async (mode) => {
    for (const spelled of [mode, mode.toUpperCase(), mode[0]?.toUpperCase() + mode.slice(1)]) {
      const { accepted, rejected, summary } = await checkText(line(wholeDevice('d', { importMode: spelled })));
      expect(rejected).toEqual([]);
      expect(accepted[0]?.mode).toBe(mode);
      expect(JSON.parse(accepted[0]?.text ?? '')).toEqual(wholeDevice('d', { importMode: mode }));
      expect(summary.byMode).toEqual({ [mode]: 1 });
    }
  });
});

describe('lines that are written anew for the hub', () => {
  const cases: readonly { name: string; given: object; written: object; options?: typeof CREATE }[] = [
    {
      name: 'the mode of the options',
      given: { id: 'd', status: 'disabled' },
      written: { importMode: 'create', id: 'd', status: 'disabled' },
    },
    {
      name: 'status enabled for a new device',
      given: { id: 'd', importMode: 'create' },
      written: { status: 'enabled', id: 'd', importMode: 'create' },
    },
    { name: 'both', given: { id: 'd' }, written: { importMode: 'create', status: 'enabled', id: 'd' } },
    {
      name: 'a filler status for a delete',
      given: { id: 'd', importMode: 'delete' },
      written: { status: 'enabled', id: 'd', importMode: 'delete' },
    },
    {
      name: 'a filler status for updateTwin',
      given: { id: 'd', importMode: 'updateTwin', tags: { a: 1 } },
      written: { status: 'enabled', id: 'd', importMode: 'updateTwin', tags: { a: 1 } },
    },
    {
      name: 'a filler status for a module',
      given: { id: 'd', moduleId: 'm', authentication: SAS },
      options: DEFAULTS,
      written: { status: 'enabled', id: 'd', moduleId: 'm', authentication: SAS },
    },
    {
      name: 'a status that was null',
      given: { id: 'd', importMode: 'create', status: null },
      written: { id: 'd', importMode: 'create', status: 'enabled' },
    },
    {
      name: 'a status in capitals',
      given: { id: 'd', importMode: 'create', status: 'DISABLED' },
      written: { id: 'd', importMode: 'create', status: 'disabled' },
    },
    {
      name: 'an importMode that was null',
      given: { id: 'd', importMode: null, status: 'enabled' },
      written: { id: 'd', importMode: 'create', status: 'enabled' },
    },
    {
      name: 'authentication types in capitals',
      given: { id: 'd', importMode: 'create', status: 'enabled', authentication: { ...SAS, type: 'SAS' } },
      written: { id: 'd', importMode: 'create', status: 'enabled', authentication: SAS },
    },
    {
      name: 'etags without quotes',
      given: wholeDevice('d', { importMode: 'updateIfMatchETag', eTag: '"MQ=="', twinETag: '"AAE="' }),
      written: wholeDevice('d', { importMode: 'updateIfMatchETag', eTag: 'MQ==', twinETag: 'AAE=' }),
    },
    {
      name: 'twins without $metadata and $version',
      given: {
        id: 'd',
        importMode: 'create',
        status: 'enabled',
        tags: { $version: 1, a: 1 },
        properties: {
          desired: { $metadata: { a: { $lastUpdated: 'x' } }, $version: 3, a: 1 },
          reported: { $metadata: {}, $version: 2 },
        },
      },
      written: {
        id: 'd',
        importMode: 'create',
        status: 'enabled',
        tags: { a: 1 },
        properties: { desired: { a: 1 }, reported: {} },
      },
    },
  ];

  it.each(cases)('$name', async ({ given, written, options = CREATE }) => {
    const { accepted, rejected, warnings } = await checkText(line(given), options);
    expect(rejected).toEqual([]);
    expect(warnings).toEqual([]);
    expect(JSON.parse(accepted[0]?.text ?? '')).toEqual(written);
    expect(accepted[0]?.text).not.toContain('\n');
  });

  it('does not write a mode that the hub takes by itself', async () => {
    const text = JSON.stringify(wholeDevice('d'));
    expect((await checkText(text, DEFAULTS)).accepted[0]?.text).toBe(text);
  });

  it('keeps keys named like parts of every object', async () => {
    const text =
      '{"id":"d","Status":"enabled","tags":{"__proto__":{"a":1},"constructor":2,"toString":"x"},"__proto__":{"b":1}}';
    const { accepted, warnings } = await checkText(text);
    expect(accepted[0]?.text).toBe(
      '{"importMode":"create","id":"d","status":"enabled","tags":{"__proto__":{"a":1},"constructor":2,"toString":"x"},"__proto__":{"b":1}}',
    );
    expect(warnings.map(({ code }) => code)).toEqual(['unknownKey', 'keyCase']);
    expect(({} as Record<string, unknown>).b).toBeUndefined();
  });
});

describe('a line of which something is written anew', () => {
  const tags = '{"a":1.0,"10":"x","2":"y"}';
  it.each([
    ['no status', `{"id":"d","tags":${tags}}`],
    ['a key in another case', `{"id":"d","Tags":${tags}}`],
    ['a mode in another case', `{"id":"d","importMode":"Create","tags":${tags}}`],
    ['a status in another case', `{"id":"d","status":"Enabled","tags":${tags}}`],
    ['no status but null', `{"id":"d","status":null,"tags":${tags}}`],
    ['an ETag in quotes', `{"id":"d","eTag":"\\"MQ==\\"","tags":${tags}}`],
    ['a version in desired properties', `{"id":"d","tags":${tags},"properties":{"desired":{"n":2.50,"$version":3}}}`],
    ['metadata in tags', `{"id":"d","tags":{"a":1.0,"10":"x","$metadata":{"a":[1]},"2":"y"}}`],
    ['desired properties in another case', `{"id":"d","tags":${tags},"properties":{"Desired":{"n":2.50, "1":1e2}}}`],
    ['no authentication but null', `{"id":"d","status":"enabled","authentication":null,"tags":${tags}}`],
    ['a parent', `{"id":"d","parent":"p","tags":${tags}}`],
    ['a scope', `{"id":"d","deviceScope":"ms-azure-iot-edge://p-1","tags":${tags}}`],
    ['edge in another case', `{"id":"d","capabilities":{"IotEdge":true},"tags":${tags}}`],
    ['a type of authentication in another case', `{"id":"d","authentication":{"type":"SAS"},"tags":${tags}}`],
    ['an escaped key', `{"id":"d","status":null,"t\\u0061gs":${tags}}`],
  ])('keeps numbers and the order of keys as they are written: %s', async (_what, text) => {
    const { accepted, rejected } = await checkText(text);
    expect(rejected).toEqual([]);
    expect(memberMap(accepted[0]?.text ?? '').get('tags')).toBe(tags);
    const { tags: _tags, ...others } = JSON.parse(accepted[0]?.text ?? '') as Record<string, unknown>;
    expect(others).toMatchObject({ id: 'd', status: 'enabled' });
    expect(accepted[0]?.text).not.toMatch(/\$version|\$metadata|status":null|parent|deviceScope|IotEdge|Desired|SAS/);
    if (text.includes('2.50')) expect(accepted[0]?.text).toMatch(/"desired":\{"n":2\.50(?:, "1":1e2)?\}/);
  });

  it('is the same when it is checked again', async () => {
    const first = await checkText(`{"ID":"d","importMode":"Create","tags":${tags}}`);
    const second = await checkText(first.accepted[0]?.text ?? '');
    expect(second.accepted[0]?.text).toBe(first.accepted[0]?.text);
  });
});

describe('what a line that may meet an existing device lacks', () => {
  it.each([
    { name: 'everything', given: { id: 'd' }, missing: ['authentication', 'status', 'statusReason', 'capabilities'] },
    { name: 'nothing', given: wholeDevice('d'), missing: [] },
    {
      name: 'keys of a sas device',
      given: wholeDevice('d', { authentication: { type: 'sas' } }),
      missing: ['authentication'],
    },
    {
      name: 'the thumbprint',
      given: wholeDevice('d', { authentication: { type: 'selfSigned' } }),
      missing: ['authentication'],
    },
    {
      name: 'statusReason and capabilities',
      given: { id: 'd', status: 'enabled', authentication: SAS },
      missing: ['statusReason', 'capabilities'],
    },
    {
      name: 'a capability that is null',
      given: wholeDevice('d', { capabilities: { iotEdge: null } }),
      missing: ['capabilities'],
    },
    { name: 'the keys of a module', given: { id: 'd', moduleId: 'm' }, missing: ['authentication'] },
    { name: 'nothing, as it is deleted', given: { id: 'd', importMode: 'delete' }, missing: [] },
    { name: 'nothing, as only its twin is written', given: { id: 'd', importMode: 'updateTwin' }, missing: [] },
    { name: 'nothing, as it is new', given: { id: 'd', importMode: 'create' }, missing: [] },
  ])('$name', async ({ given, missing }) => {
    const { accepted, rejected } = await checkText(line(given), DEFAULTS);
    expect(rejected).toEqual([]);
    expect(accepted[0]?.missing).toEqual(missing);
    expect(JSON.parse(accepted[0]?.text ?? '')).toHaveProperty('status', 'enabled');
  });

  it('is no reason to refuse if it is only the reason or the capabilities', async () => {
    const { accepted } = await checkText(line({ id: 'd', status: 'disabled', authentication: SAS }), DEFAULTS);
    expect(accepted[0]?.missing).toEqual(['statusReason', 'capabilities']);
  });
});

describe('warnings', () => {
  const cases: readonly { code: WarningCode; text: string; says: string; options?: typeof CREATE }[] = [
    { code: 'byteOrderMark', text: `\ufeff${line(wholeDevice('d'))}`, says: 'byte order mark' },
    { code: 'idPlusOrHash', text: line({ id: 'a+b' }), says: '"+" or "#"' },
    { code: 'idPlusOrHash', text: line({ id: 'a#b' }), says: '"+" or "#"' },
    { code: 'unknownKey', text: line({ id: 'd', colour: 'red' }), says: 'colour is no part of the format' },
    { code: 'unknownKey', text: line({ id: 'd', deviceId: 'd' }), says: 'the device id is "id"' },
    { code: 'unknownKey', text: line({ id: 'd', desired: {} }), says: 'belong into "properties"' },
    { code: 'unknownKey', text: line({ id: 'd', authentication: { ...SAS, extra: 1 } }), says: 'authentication.extra' },
    {
      code: 'unknownKey',
      text: line({
        id: 'd',
        authentication: { type: 'sas', symmetricKey: { primaryKey: KEY_1, secondaryKey: KEY_2, third: 1 } },
      }),
      says: 'authentication.symmetricKey.third',
    },
    {
      code: 'unknownKey',
      text: line({ id: 'd', importMode: 'updateTwin', thumbprint: 'AB' }),
      says: 'thumbprint is no part of the format',
    },
    { code: 'unknownKey', text: line({ id: 'd', authenticationType: 'sas' }), says: 'as "type"' },
    { code: 'unknownKey', text: line({ id: 'd', primaryKey: null }), says: 'primaryKey is no part of the format' },
    { code: 'unknownKey', text: line({ id: 'd', properties: { other: {} } }), says: 'properties.other' },
    { code: 'unknownKey', text: line({ id: 'd', capabilities: { iotEdge: true, x: 1 } }), says: 'capabilities.x' },
    {
      code: 'keyCase',
      text: line({ Id: 'd' }),
      says: 'Id is written in other upper and lower case than the format has it, and is taken as id',
    },
    { code: 'keyCase', text: line({ id: 'd', etag: 'x' }), says: 'taken as eTag' },
    { code: 'keyCase', text: line({ id: 'd', Authentication: SAS }), says: 'taken as authentication' },
    { code: 'keyCase', text: line({ id: 'd', authentication: { Type: 'sas' } }), says: 'taken as authentication.type' },
    {
      code: 'keyCase',
      text: line({ id: 'd', capabilities: { IoTEdge: true } }),
      says: 'taken as capabilities.iotEdge',
    },
    {
      code: 'keyCase',
      text: line({ id: 'd', properties: { Desired: { a: 1 } } }),
      says: 'taken as properties.desired',
    },
    { code: 'repeatedKey', text: '{"id":"c","tags":{"a":":","b":{"c":"\\":"}},"id":"d"}', says: 'the last one counts' },
    {
      code: 'repeatedKey',
      text: '{"id":"c","importMode":"create","status":"enabled","id":"d"}',
      says: 'The line has id more than once',
    },
    { code: 'keyCase', text: line({ id: 'd', Parent: 'p' }), says: 'taken as parent' },
    {
      code: 'parentNotWritten',
      text: line({ id: 'd', importMode: 'updateTwin', parent: 'p' }),
      says: 'no effect in mode updateTwin',
    },
    {
      code: 'scopeForm',
      text: line({ id: 'd', deviceScope: 'ms-azure-iot-edge://p' }),
      says: 'deviceScope has a scope',
    },
    { code: 'scopeForm', text: line({ id: 'd', parentScopes: ['edge://p-1'] }), says: 'parentScopes has a scope' },
    { code: 'managedByLost', text: line({ id: 'd', moduleId: 'm', managedBy: 'iotEdge' }), says: 'managedBy' },
    {
      code: 'reportedNotWritten',
      text: line({ id: 'd', properties: { desired: {}, reported: { a: 1 } } }),
      says: 'belongs to the device',
    },
    {
      code: 'moduleAuthNone',
      text: line({ id: 'd', moduleId: 'm', authentication: { type: 'none' } }),
      says: 'becomes "sas"',
    },
    {
      code: 'thumbprintMissing',
      text: line({ id: 'd', authentication: { type: 'selfSigned' } }),
      says: 'cannot connect',
    },
    { code: 'nullInTwin', text: line({ id: 'd', tags: { a: { b: null } } }), says: 'tags.a.b is null' },
    {
      code: 'nullInTwin',
      text: line({ id: 'd', properties: { desired: { a: null } } }),
      says: 'means nothing in mode create',
    },
    {
      code: 'thumbprintsDiffer',
      text: line(
        wholeDevice('d', {
          authentication: {
            type: 'selfSigned',
            x509Thumbprint: { primaryThumbprint: 'aB'.repeat(20), secondaryThumbprint: '01'.repeat(32) },
          },
        }),
      ),
      says: 'has one SHA-1 and one SHA-256 thumbprint',
    },
    ...(['create', 'createOrUpdate', 'createOrUpdateIfMatchETag'] as const).map((importMode) => ({
      code: 'keylessExport' as const,
      text: line({ ...wholeDevice('d', { importMode }), authentication: null }),
      says: '1 line has "authentication": null, as in an export without keys',
    })),
    {
      code: 'unknownColumn',
      text: 'id,colour\nd,red\n',
      says: 'Column 2 "colour" is not known and has no effect; "tags.colour" would make it a tag. Remove it, or correct its name.',
      options: CSV,
    },
    { code: 'namelessColumn', text: 'id,,\nd,,red\n', says: 'Column 3 has values', options: CSV },
    {
      code: 'mixedColumn',
      text: 'id,tags.a\nd,"{""x"":1}"\n,1.10\n',
      says: 'Column 2 "tags.a" mixes types: the cell in line 2 is JSON, "1.10" in line 3 is text.',
      options: CSV,
    },
  ];

  it.each(cases)('$code: $says', async ({ code, text, says, options = CREATE }) => {
    const { accepted, warnings, summary } = await checkText(text, options);
    expect(accepted).toHaveLength(1);
    expect(warnings.map((warning) => warning.code)).toEqual([code]);
    expect(warnings[0]?.message).toContain(says);
    expect(summary.warnings).toBe(1);
    // What is said of the file is kept for the report; what is said of a line stands beside that line.
    expect(summary.fileWarnings).toEqual(warnings[0]?.id === undefined ? warnings : undefined);
  });

  it('has a case for every code', () => {
    expect(new Set([...cases.map(({ code }) => code), 'moreOfFile'])).toEqual(new Set(Object.keys(WARNINGS)));
  });

  it('writes keys of another case as documented', async () => {
    const { accepted } = await checkText(
      line({
        ID: 'd',
        IMPORTMODE: 'create',
        STATUS: 'enabled',
        etag: 'x',
        Authentication: { SymmetricKey: { PrimaryKey: KEY_1, SecondaryKey: KEY_2 }, Type: 'Sas' },
      }),
    );
    expect(accepted[0]?.text).toBe(
      JSON.stringify({ id: 'd', importMode: 'create', status: 'enabled', eTag: 'x', authentication: SAS }),
    );
  });

  it('of an export without keys come once, with the count, and leave out what creates nothing', async () => {
    const exported = (id: string, more: object = {}): string =>
      line({ ...wholeDevice(id, { importMode: 'createOrUpdate', ...more }), authentication: null });
    const { warnings, summary } = await checkText(
      line(wholeDevice('a')) +
        exported('b') +
        exported('c', { importMode: 'update' }) +
        exported('d', { importMode: 'delete' }) +
        exported('e', { eTag: null }) +
        exported('f', { moduleId: 'm' }) +
        exported('b') +
        exported('g', { importMode: 'create' }),
    );
    expect(warnings.map(({ line: at, code }) => [at, code])).toEqual([[2, 'keylessExport']]);
    expect(warnings[0]?.message).toContain('3 lines have "authentication": null, as in an export without keys');
    expect(summary.warnings).toBe(1);
  });

  it('of the file are kept for the report, the first twenty of them', async () => {
    const names = Array.from({ length: 30 }, (_, n) => `c${n}`);
    const { warnings, summary } = await checkText(`id,${names.join(',')}\nd\n`, CSV);
    expect(warnings).toHaveLength(30);
    expect(summary.warnings).toBe(30);
    expect(summary.fileWarnings).toHaveLength(21);
    expect(summary.fileWarnings?.[0]).toEqual(warnings[0]);
    expect(summary.fileWarnings?.[20]).toMatchObject({
      code: 'moreOfFile',
      message: expect.stringMatching(/^10 more/),
    });
  });

  it('writes a module of type none as sas', async () => {
    const { accepted } = await checkText(line({ id: 'd', moduleId: 'm', authentication: { type: 'none' } }));
    expect(JSON.parse(accepted[0]?.text ?? '').authentication).toEqual({ type: 'sas' });
  });

  it('are not given for lines that are rejected', async () => {
    const { warnings, rejected } = await checkText(line({ id: 'a+b', colour: 1, status: 'x' }));
    expect(rejected).toHaveLength(1);
    expect(warnings).toEqual([]);
  });
});

describe('lines that are skipped', () => {
  it('skips edge system modules, as hubs refuse to import them', async () => {
    const { skipped, summary } = await checkText(
      line({ id: 'd' }) +
        line({ id: 'd', moduleId: '$edgeAgent', authentication: null }) +
        line({ id: 'd', moduleId: '$edgeHub' }),
      CREATE,
    );
    expect(skipped.map(({ line, id, moduleId, code }) => [line, id, moduleId, code])).toEqual([
      [2, 'd', '$edgeAgent', 'systemModule'],
      [3, 'd', '$edgeHub', 'systemModule'],
    ]);
    expect(skipped[0]?.reason).toContain(SKIP_REASONS.systemModule.says);
    expect(summary).toMatchObject({ lines: 3, devices: 1, modules: 0, skipped: 2 });
  });

  it('skips the plain first line of an export without keys, and only that', async () => {
    const { skipped, rejected, accepted } = await checkText('This file has no keys.\n{"id":"d"}\nmore text\n');
    expect(skipped.map(({ line, code }) => [line, code])).toEqual([[1, 'plainFirstLine']]);
    expect(rejected.map(({ line, code }) => [line, code])).toEqual([[3, 'notAnObject']]);
    expect(accepted).toHaveLength(1);
  });
});
