import fc from 'fast-check';
import { IMPORT_MODES } from '../../../src/lib/devicesFile/importMode.ts';
import { KEY_1, KEY_2 } from './checkText.ts';

/**
 * Lines put together as text: keys that come twice, escapes, numbers in every spelling, blanks in odd places, and what is no
 * JSON at all. JSON.stringify writes none of these.
 */

type Member = readonly [key: string, value: string];

const oneOf = (...texts: readonly string[]) => fc.constantFrom(...texts);
const nearly = (usual: fc.Arbitrary<string>, odd: fc.Arbitrary<string>) =>
  fc.oneof({ weight: 6, arbitrary: usual }, { weight: 1, arbitrary: odd });
const blank = oneOf('', '', '', '', ' ', '\t', '\r');
const member = (keys: readonly string[], value: fc.Arbitrary<string>): fc.Arbitrary<Member> =>
  fc.tuple(oneOf(...keys.map((key) => `"${key}"`)), value);

function objectOf(members: fc.Arbitrary<Member>, most: number): fc.Arbitrary<string> {
  return fc
    .array(fc.tuple(members, blank, blank, blank), { maxLength: most })
    .map((all) => `{${all.map(([[key, value], ...b]) => `${b[0]}${key}${b[1]}:${b[2]}${value}`).join(',')}}`);
}

const string = fc.oneof(
  oneOf(
    '""',
    '"a"',
    '"MQ=="',
    '"a\\/b"',
    '"\\"q\\""',
    '"\\u0041"',
    '"\\ud800"',
    '"x y"',
    '"\\n"',
    '"\\x"',
    '"\\u12g4"',
  ),
  oneOf('"\u00e9"', '"\u0080"', '"\u6771"', '"\u007f"', '"a\tb"', '"a\\'),
  fc.tuple(oneOf('x', '\u00e9', '\\n'), fc.constantFrom(64, 65, 127, 128, 129)).map(([one, n]) => `"${one.repeat(n)}"`),
);
const number = fc.oneof(
  oneOf('0', '-0', '1', '-1', '1.0', '1.50', '1e5', '1E+5', '0.1e1', '1e400', '1e-400', '123456789012345.123456789'),
  oneOf('123456789012345', '1234567890123456', '4503599627370495', '4503599627370496', '-4503599627370497', '1.5e16'),
  oneOf('01', '.5', '1.', '+1', '-', '--1', 'NaN', '1e'),
);
const key = fc.oneof(
  oneOf('"a"', '"b"', '"site"', '"A"', '"1"', '"10"', '"\u00e9"', '"\u00a0"', '"__proto__"', '"constructor"'),
  oneOf('"a b"', '"a.b"', '"$x"', '""', '"#"', '"\u0080"', '"\u007f"', '"\\u0061"', '"$version"', '"$metadata"'),
  fc.constantFrom(1024, 1025).map((length) => `"${'k'.repeat(length)}"`),
);
const nested = fc
  .tuple(fc.constantFrom(['[', ']'], ['{"a":', '}']), fc.constantFrom(8, 9, 10, 11, 31, 32, 33, 63, 64, 65))
  .map(([[open = '', close = ''], depth]) => `${open.repeat(depth)}1${close.repeat(depth)}`);
const { object } = fc.letrec<{ value: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    string,
    number,
    oneOf('true', 'false', 'null', 'nul', 'True'),
    nested,
    tie('object'),
    fc.array(tie('value'), { maxLength: 3 }).map((all) => `[${all.join(', ')}]`),
  ),
  object: objectOf(fc.tuple(key, tie('value')), 3),
}));
const large = fc.oneof(
  fc
    .constantFrom(500, 1023, 1024, 1025, 2048, 4090, 4100)
    .map((count) => `{"l":[${Array(count).fill('1').join(',')}]}`),
  fc.constantFrom(4096, 4097, 8190, 8200).map((length) => `{"l":"${'x'.repeat(length)}"}`),
  fc
    .constantFrom(255, 256, 257)
    .map((count) => `{${Array.from({ length: count }, (_, index) => `"k${index}":1`).join(',')}}`),
);
const section = fc.oneof(
  { weight: 3, arbitrary: oneOf('{}', '{"a":1}', '{"site":"faro","n":{"x":[1,2,{"y":true}]}}', '{"v":1.50}') },
  { weight: 2, arbitrary: object },
  { weight: 1, arbitrary: large },
  { weight: 1, arbitrary: oneOf('null', '[]', '1', '""') },
);

const base64 = (bytes: number) => `"${Buffer.alloc(bytes).toString('base64')}"`;
const symmetricKey = nearly(
  oneOf(`"${KEY_1}"`, `"${KEY_2}"`, `"${KEY_2.replaceAll('/', '\\/')}"`, base64(16), base64(64)),
  oneOf('null', '""', '1', base64(15), base64(65), '"AAAAAAAAAAAAAAAAAAAAA==="', '"AAAA\\u0041AAAAAAAAAAAAAAAAA=="'),
);
const thumbprint = nearly(
  oneOf(`"${'a'.repeat(40)}"`, `"${'A'.repeat(40)}"`, `"${'b'.repeat(64)}"`),
  oneOf('null', '""', '1', `"${'a'.repeat(41)}"`),
);
const type = oneOf('"sas"', '"selfSigned"', '"certificateAuthority"', '"none"', '"SAS"', 'null', '""', '1');
const authentication = nearly(
  fc.oneof(
    fc
      .tuple(symmetricKey, symmetricKey)
      .map(([first, second]) => `{"type":"sas","symmetricKey":{"primaryKey":${first},"secondaryKey":${second}}}`),
    thumbprint.map((one) => `{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":${one}}}`),
    oneOf('{"type":"certificateAuthority"}', 'null'),
  ),
  objectOf(
    fc.oneof(
      member(['symmetricKey'], objectOf(member(['primaryKey', 'secondaryKey', 'PrimaryKey', 'x'], symmetricKey), 3)),
      member(['x509Thumbprint'], objectOf(member(['primaryThumbprint', 'secondaryThumbprint'], thumbprint), 2)),
      member(['symmetricKey', 'x509Thumbprint', 'y'], oneOf('null', '{}', '1')),
      member(['type', 'type', 'Type'], type),
    ),
    4,
  ),
);

const id = nearly(
  oneOf('"d1"', '"d-2"', `"${'x'.repeat(128)}"`),
  oneOf('"a+b"', '"a/b"', '""', 'null', '1', '"$edgeAgent"', '"d\\u0031"', '"\u00e9"', `"${'x'.repeat(129)}"`),
);
const SCOPE = 'ms-azure-iot-edge://';
const scope = nearly(
  oneOf(`"${SCOPE}d1-637"`, `"${SCOPE}p-637"`),
  oneOf('""', 'null', '"x"', '1', `"${SCOPE}-1"`, `"${SCOPE}a/b-3"`, `"${SCOPE}p-63\\u0037"`),
);
const modes = nearly(oneOf(...IMPORT_MODES.map((mode) => `"${mode}"`)), oneOf('null', '"Create"', '""', '1'));
const lineMember = fc.oneof(
  member(['id', 'moduleId', 'moduleId'], id),
  member(['eTag', 'twinETag'], nearly(oneOf('"MQ=="', '"AAAAAAAAAAE="'), fc.oneof(string, oneOf('null', '1')))),
  member(['importMode'], modes),
  member(['status'], nearly(oneOf('"enabled"', '"disabled"'), oneOf('"Enabled"', 'null', '1', '""'))),
  member(['statusReason'], nearly(string, oneOf('null', '1'))),
  member(['authentication'], authentication),
  member(['tags'], section),
  member(
    ['properties'],
    nearly(
      objectOf(member(['desired', 'reported'], section), 2),
      fc.oneof(objectOf(member(['desired', 'reported', 'Desired', 'z'], section), 3), oneOf('null', '1')),
    ),
  ),
  member(
    ['capabilities'],
    nearly(
      oneOf('{"iotEdge":true}', '{ "iotEdge" : false }', 'null'),
      oneOf('{}', '{"iotEdge":1}', '{"iotEdge":true,"x":1}', '{"IotEdge":true}', '{"iotEdge":true,"iotEdge":false}'),
    ),
  ),
  member(['deviceScope'], scope),
  member(
    ['parentScopes'],
    scope.map((one) => `[${one}]`),
  ),
  member(['parentScopes'], oneOf('null', '[]', '[ ]', '1', `["${SCOPE}p-1","${SCOPE}q-1"]`)),
  { weight: 1, arbitrary: member(['parent'], oneOf('null', '"p"', '"d1"', '1')) },
  { weight: 1, arbitrary: member(['other', 'managedBy', 'primaryKey', 'Tags', '\\u0069d'], oneOf('1', 'null', '{}')) },
);

/** Keys that come twice are seldom meant: most lines have none. */
const unlike = (members: readonly Member[]): readonly Member[] => [
  ...new Map(members.map((one) => [one[0], one])).values(),
];

export const oddLine: fc.Arbitrary<string> = fc
  .record({
    members: fc.array(lineMember, { maxLength: 7 }),
    repeats: fc.integer({ min: 0, max: 4 }).map((draw) => draw === 0),
    blanks: fc.tuple(blank, blank),
    change: fc.oneof(
      { weight: 5, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.tuple(fc.nat(400), oneOf('', ...'"{}[],:\\ 0.e\t\u0085$')) },
    ),
  })
  .map(({ members, repeats, blanks, change }) => {
    const all: readonly Member[] = [['"id"', '"d1"'], ...members];
    const text = (repeats ? all : unlike(all))
      .map(([name, value]) => `${blanks[0]}${name}${blanks[1]}:${value}`)
      .join(',');
    const line = `{${text}}`;
    return change === undefined ? line : line.slice(0, change[0]) + change[1] + line.slice(change[0] + 1);
  })
  // Blanks around a line are taken off before it is looked at.
  .map((line) => line.replace(/^[ \t\r]+|[ \t\r]+$/g, ''))
  .filter((line) => line !== '');
