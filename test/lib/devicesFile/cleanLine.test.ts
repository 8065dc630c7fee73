import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLineChecker } from '../../../src/lib/devicesFile/checkLine.ts';
import { createCleanLineReader } from '../../../src/lib/devicesFile/cleanLine.ts';
import { generateDevices } from '../../../src/lib/devicesFile/generate.ts';
import { IMPORT_MODES, type ImportMode } from '../../../src/lib/devicesFile/importMode.ts';
import type { LineCheckerOptions } from '../../../src/lib/devicesFile/lineFields.ts';
import type { LineVerdict } from '../../../src/lib/devicesFile/lineVerdict.ts';
import { KEY_1, KEY_2, wholeDevice } from './checkText.ts';
import { oddLine } from './oddLines.ts';

/** Both ways to look at a line: what the short way makes of it, and what the rules say without it. */
function bothWays(
  text: string,
  importMode: ImportMode = 'createOrUpdate',
  rules: Omit<LineCheckerOptions, 'importMode'> = {},
) {
  // In the middle of others, as in a file.
  const bytes = Buffer.from(`"\n${text}"}]}`);
  const [start, end] = [2, bytes.length - 4];
  const at = { bytes, start, end, textStart: start, textEnd: end };
  const clean = createCleanLineReader(importMode).read(bytes, start, end);
  const options = { importMode, ...rules };
  const withClean = createLineChecker(options).check(text, 1, at);
  // A line that starts with nothing in its bytes is never taken for clean.
  const without = createLineChecker(options).check(text, 1, { ...at, bytes: Buffer.alloc(bytes.length) });
  return { clean: clean !== undefined, withClean: meant(withClean), without: meant(without) };
}

/** A line that had to be put together anew may have other blanks; all else is to be as it is written. */
function meant(verdict: LineVerdict): LineVerdict {
  if (verdict.kind !== 'accepted') return verdict;
  const text = verdict.accepted.text.replace(/("(?:[^"\\]|\\.)*")|[ \t\r]+/g, (_, string: string = '') => string);
  return { ...verdict, accepted: { ...verdict.accepted, text } };
}

/** What a run may ask of its lines besides, see `checkRulesOf`. */
const RULES: readonly Omit<LineCheckerOptions, 'importMode'>[] = [
  {},
  { noMerging: true, mustSay: ['authentication', 'status', 'capabilities'] },
  { noMerging: true, mustSay: ['status', 'capabilities'] },
];

const SCOPE = 'ms-azure-iot-edge://';

/** Values near what the format takes, many of them right. */
const text = fc.oneof(
  fc.constantFrom('', 'a', 'eco', 'MQ==', '"q"', 'a\\b', 'K\u00f6ln', '\u0000', 'x'.repeat(130)),
  fc.string({ maxLength: 8 }),
);
const id = fc.oneof(
  fc.constantFrom('d1', 'sensor-1', 'a+b', 'a/b', '', 'x'.repeat(128), 'x'.repeat(129), '$edgeAgent'),
  fc.string({ maxLength: 4 }),
);
const orNull = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 4, arbitrary: value }, { weight: 1, arbitrary: fc.constant(null) });
const key = fc.constantFrom(
  KEY_1,
  KEY_2,
  Buffer.alloc(16).toString('base64'),
  Buffer.alloc(17).toString('base64'),
  KEY_1.slice(1),
  'AAAA',
  '',
  '====',
  `${KEY_1.slice(0, -4)}A===`,
);
const thumbprint = fc.constantFrom('a'.repeat(40), 'F'.repeat(64), 'a'.repeat(50), '', 'g'.repeat(40));
const authentication = fc.record(
  {
    symmetricKey: orNull(fc.record({ primaryKey: orNull(key), secondaryKey: orNull(key) }, { requiredKeys: [] })),
    x509Thumbprint: orNull(
      fc.record(
        { primaryThumbprint: orNull(thumbprint), secondaryThumbprint: orNull(thumbprint) },
        { requiredKeys: [] },
      ),
    ),
    type: fc.constantFrom('sas', 'selfSigned', 'certificateAuthority', 'none', 'SAS', 'SELF_SIGNED', null, 1),
  },
  { requiredKeys: [] },
);
const whole = fc.constantFrom(
  { symmetricKey: { primaryKey: KEY_1, secondaryKey: KEY_2 }, type: 'sas' },
  { type: 'selfSigned', x509Thumbprint: { primaryThumbprint: 'a'.repeat(40), secondaryThumbprint: null } },
  { type: 'certificateAuthority' },
);
const twinKey = fc.oneof(
  fc.constantFrom('a', 'b', 'site', '__proto__', 'a b', 'a.b', '$x', '', '\u00e4'),
  fc.string({ maxLength: 3 }),
);
const { section } = fc.letrec<{ value: unknown; section: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(
      text,
      fc.boolean(),
      fc.constant(null),
      fc.integer(),
      fc.double(),
      fc.constantFrom(4503599627370495, 4503599627370496, 1e21, -0, 123456789012345, 1234567890123456),
    ),
    tie('section'),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
  section: fc.dictionary(twinKey, tie('value'), { maxKeys: 3 }),
}));
const scope = fc.constantFrom('d', 'edge-1', 'a/b', "edge(2)'").map((device) => `ms-azure-iot-edge://${device}-637`);
const members: Record<string, fc.Arbitrary<unknown>> = {
  id,
  moduleId: orNull(id),
  eTag: orNull(text),
  importMode: fc.oneof(fc.constantFrom<unknown>(...IMPORT_MODES), fc.constantFrom('Create', 'upsert', null, 5)),
  status: fc.constantFrom('enabled', 'disabled', 'Enabled', 'x', null, true),
  statusReason: orNull(text),
  authentication: orNull(fc.oneof({ weight: 2, arbitrary: whole }, { weight: 1, arbitrary: authentication })),
  twinETag: orNull(text),
  tags: orNull(section),
  properties: orNull(
    fc.record({ desired: orNull(section), reported: fc.oneof(fc.constant({}), section) }, { requiredKeys: [] }),
  ),
  capabilities: fc.constantFrom({ iotEdge: false }, { iotEdge: true }, {}, { iotEdge: 'x' }, null, {
    iotEdge: true,
    x: 1,
  }),
  deviceScope: orNull(fc.oneof(text, scope)),
  parentScopes: orNull(fc.array(fc.oneof(text, scope), { maxLength: 2 })),
  other: fc.constant(1),
};
/** A whole device with a few members replaced or removed, sometimes in another order or written in another way. */
const device = fc
  .record({
    replaced: fc.record(members, { requiredKeys: [] }),
    kept: fc.subarray(Object.keys(members)),
    removed: fc.subarray(Object.keys(wholeDevice('d')), { maxLength: 2 }),
    reversed: fc.boolean(),
    blanks: fc.boolean(),
    escapes: fc.constantFrom('few', 'slashes', 'ascii'),
  })
  .map(({ replaced, kept, removed, reversed, blanks, escapes }) => {
    const changed = Object.entries(replaced).filter(([name], index) => kept.includes(name) && index % 3 === 0);
    const entries = Object.entries({ ...wholeDevice('d'), ...Object.fromEntries(changed) }).filter(
      ([name]) => !removed.includes(name),
    );
    const json = JSON.stringify(Object.fromEntries(reversed ? entries.reverse() : entries), undefined, blanks ? 1 : 0);
    const line = json.replace(/\n/g, '');
    if (escapes === 'slashes') return line.replaceAll('/', '\\/');
    return escapes === 'ascii' ? line.replace(/[^ -~]/g, (character) => `\\u${hex(character)}`) : line;
  });

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(4, '0');
}

describe('the short way for clean lines', () => {
  it('takes what the generator makes', () => {
    for (const one of generateDevices({ count: 20, seed: 'x', importMode: 'create' }))
      expect(bothWays(one).clean).toBe(true);
    for (const one of generateDevices({ count: 20, seed: 'x' })) expect(bothWays(one).clean).toBe(true);
  });

  it.each([
    '{"id":"c","status":"enabled","id":"d"}',
    '{"id":"c","eTag":null,"status":"enabled","eTag":"x"}',
    '{"id":"c","authentication":{"type":"sas","type":"certificateAuthority"}}',
    '{"id":"c","authentication":{"symmetricKey":{},"type":"sas"}}',
    '{"id":"c","properties":{"desired":{"a":1},"desired":{}}}',
    '{"id":"c","tags":{"a":1,"a":2}}',
    '{"id":"c","properties":{"desired":{"x":[{"a":1,"b":2,"a":1}]}}}',
    '{"id":"c","properties":{"reported":{"a":1,"a":2}}}',
    '{"id":"c","properties":{"reported":{"$version":1}}}',
    '{"id":"c","properties":{"reported":{"\\u0024version":1}}}',
    '{"id":"c","properties":{"reported":{"a":01}}}',
    '{"id":"c","properties":{"reported":{"a":1e}}}',
    '{"id":"c","properties":{"reported":{"a":"\\x"}}}',
    '{"id":"c","properties":{"reported":{"a":"\\u12g4"}}}',
    '{"id":"c","eTag":"\\"MQ==\\""}',
    '{"id":"c","authentication":{"symmetricKey":{"primaryKey":null},"type":"sas"}}',
    '{"id":"c","tags":{"\\u0061":1}}',
    '{"id":"c","tags":{"a\u0085":1}}',
    '{"id":"c","tags":{"a":1,}}',
    '{"id":"c","tags":{"a":1e5}}',
    '{"id":"c",}',
    '{"id":"c"},',
    '{"status":"enabled"}',
    '{}',
  ])('leaves %s to the rules', (line) => {
    const { clean, withClean, without } = bothWays(line, 'create');
    expect(clean).toBe(false);
    expect(withClean).toEqual(without);
  });

  /** Lines about which the rules have something to say that is easily passed over. */
  const exported = { ...wholeDevice('d'), authentication: null };
  const thumbprints = (primaryThumbprint: string, secondaryThumbprint: string) =>
    JSON.stringify(
      wholeDevice('d', {
        authentication: { type: 'selfSigned', x509Thumbprint: { primaryThumbprint, secondaryThumbprint } },
      }),
    );
  const whole = JSON.stringify(wholeDevice('d'));
  const inTwin = (section: string) => [
    whole.replace('{"site":"bergen"}', section),
    whole.replace('{"interval":30}', section),
  ];
  it.each([
    JSON.stringify(exported),
    JSON.stringify({ ...exported, eTag: null }),
    JSON.stringify({ ...exported, eTag: '' }),
    JSON.stringify({ id: 'd', moduleId: 'm', eTag: 'MQ==', status: 'enabled', authentication: null }),
    thumbprints('a'.repeat(40), 'a'.repeat(64)),
    thumbprints('a'.repeat(64), 'a'.repeat(40)),
    thumbprints('a'.repeat(64), 'b'.repeat(64)),
    ...[
      '{"a":[1,null]}',
      '{"a":[{"b":null}]}',
      '{"a":null}',
      '{"":1}',
      '{"a":4503599627370496}',
      '{"a":[-4503599627370497]}',
      '{"a":1.5e16}',
      '{"a":4503599627370495.5}',
      '{"a":15000000000000000.0}',
      '{"a":1e999}',
      `{"a":${'['.repeat(70)}${']'.repeat(70)}}`,
    ].flatMap(inTwin),
    whole.replace('{"interval":30}}', `{"interval":30},"reported":${'{"a":'.repeat(70)}1${'}'.repeat(70)}}`),
    whole.replace('{"id"', '{"primaryKey":"x","id"'),
  ])('says in every mode what the rules say of %s', (line) => {
    for (const mode of IMPORT_MODES) {
      const { withClean, without } = bothWays(line, mode);
      expect(withClean).toEqual(without);
    }
  });

  it.each([
    ...[10, 11].map((n) => [`${n} arrays in one another`, inTwin(`{"a":${'['.repeat(n)}${']'.repeat(n)}}`)] as const),
    ...[10, 11].map((n) => [`${n} objects in one another`, inTwin(`${'{"a":'.repeat(n)}{}${'}'.repeat(n)}`)] as const),
    ...[1024, 1025].map((n) => [`a key of ${n} bytes`, inTwin(`{"${'k'.repeat(n)}":1}`)] as const),
    ...[4096, 4097].map((n) => [`a text of ${n} bytes`, inTwin(`{"a":"${'x'.repeat(n)}"}`)] as const),
    // However long it looks, with each slash written as PHP does.
    ['a device key of 15 bytes', [whole.replace(KEY_1, `\\/\\/\\/\\/${'A'.repeat(16)}`)]] as const,
  ])('knows where a bound is: %s', (_name, lines) => {
    for (const line of lines) {
      const { withClean, without } = bothWays(line);
      expect(withClean).toEqual(without);
    }
  });

  it.each([
    ['a null for a reason', { statusReason: null }],
    ['no status, reason and capabilities', { status: undefined, statusReason: undefined, capabilities: undefined }],
    ['reported properties', { properties: { desired: {}, reported: { a: [null, 1e300, { b: 'x'.repeat(5000) }] } } }],
    ['no keys, as an export has it', { authentication: null }],
    ['the scope of a parent', { deviceScope: `${SCOPE}p-637`, parentScopes: [`${SCOPE}p-637`] }],
    ['a scope of its own', { capabilities: { iotEdge: true }, deviceScope: `${SCOPE}d-637`, parentScopes: [] }],
    [
      'two scopes of an edge device',
      { capabilities: { iotEdge: true }, deviceScope: `${SCOPE}d-637`, parentScopes: [`${SCOPE}p-1`] },
    ],
    ['escapes and other scripts', { tags: { note: 'a "b"\n\\', place: 'K\u00f6ln \u6771\u4eac', '\u6771': 1 } }],
    [
      'a thumbprint beside keys of null',
      {
        authentication: {
          symmetricKey: { primaryKey: null, secondaryKey: null },
          x509Thumbprint: { primaryThumbprint: 'A'.repeat(40), secondaryThumbprint: null },
          type: 'selfSigned',
        },
      },
    ],
    ['numbers with many digits behind the point', { tags: { a: 21.123456789012344 } }],
    ['desired properties of some kilobytes', { properties: { desired: { a: 'x'.repeat(4000), b: 'y'.repeat(4000) } } }],
  ])('takes %s', (_name, more) => {
    const { clean, withClean, without } = bothWays(JSON.stringify(wholeDevice('d', more)));
    expect(clean).toBe(true);
    expect(withClean).toEqual(without);
    expect(withClean.kind).toBe('accepted');
  });

  it.each([40, 1000, 1020, 1030, 2000, 4090, 4200])('knows when a section may be too large (%i numbers)', (count) => {
    const numbers = { a: Array.from({ length: count }, () => 1) };
    for (const more of [{ tags: numbers }, { properties: { desired: numbers } }]) {
      const { withClean, without } = bothWays(JSON.stringify(wholeDevice('d', more)));
      expect(withClean).toEqual(without);
    }
  });

  it('says of every line that it takes what the rules say', () => {
    let taken = 0;
    fc.assert(
      fc.property(device, fc.constantFrom(...IMPORT_MODES), fc.constantFrom(...RULES), (one, mode, rules) => {
        const { clean, withClean, without } = bothWays(one, mode, rules);
        expect(withClean).toEqual(without);
        if (clean) taken += 1;
      }),
      { numRuns: 2500 },
    );
    expect(taken).toBeGreaterThan(250);
  });

  it('says it of lines that are written as nothing but a hand writes them', () => {
    let taken = 0;
    fc.assert(
      fc.property(oddLine, fc.constantFrom(...IMPORT_MODES), fc.constantFrom(...RULES), (one, mode, rules) => {
        const { clean, withClean, without } = bothWays(one, mode, rules);
        expect(withClean).toEqual(without);
        if (clean) taken += 1;
      }),
      { numRuns: 4000 },
    );
    expect(taken).toBeGreaterThan(300);
  });

  it('takes no line that one changed character makes another', () => {
    const lines = [...generateDevices({ count: 3, seed: 'y', importMode: 'update' })];
    const lineWithChange = fc.record({
      line: fc.constantFrom(...lines),
      at: fc.nat(450),
      to: fc.oneof(
        fc.constantFrom('"', '{', '}', '[', ']', ',', ':', '\\', ' ', '0', '-', '.', 'e', '\t', '\u007f', '\u00e9', ''),
        fc.string({ maxLength: 1 }),
      ),
    });
    fc.assert(
      fc.property(lineWithChange, ({ line, at, to }) => {
        const changed = (line.slice(0, at) + to + line.slice(at + 1)).trim();
        const { withClean, without } = bothWays(changed);
        expect(withClean).toEqual(without);
      }),
      { numRuns: 2500 },
    );
  });

  it('does not look beyond the end of a line', () => {
    const [line = ''] = generateDevices({ count: 1, seed: 'z' });
    const bytes = Buffer.from(line);
    const reader = createCleanLineReader('create');
    for (let end = 0; end < bytes.length; end += 1) expect(reader.read(bytes, 0, end)).toBeUndefined();
    expect(reader.read(bytes, 0, bytes.length)).toBeDefined();
  });
});
