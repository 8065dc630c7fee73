import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayName } from '../../../src/lib/devicesFile/findings.ts';
import { repeatedKeyIn } from '../../../src/lib/devicesFile/repeatedKeys.ts';
import { CSV, checkText, KEY_1, KEY_2, wholeDevice } from './checkText.ts';

/** JSON with its keys in order, each as often as it is there. */
type Value = string | number | boolean | null | readonly Value[] | Members;
interface Members {
  readonly members: readonly (readonly [key: string, value: Value, escaped: boolean])[];
}

function isMembers(value: Value): value is Members {
  return typeof value === 'object' && value !== null && 'members' in value;
}

function textOf(value: Value, blank = ''): string {
  if (isMembers(value)) {
    const members = value.members.map(
      ([key, inner, escaped]) => `${blank}${keyText(key, escaped)}${blank}:${blank}${textOf(inner, blank)}`,
    );
    return `{${members.join(',')}${blank}}`;
  }
  if (typeof value === 'object' && value !== null) return `[${value.map((inner) => textOf(inner, blank)).join(',')}]`;
  return JSON.stringify(value);
}

function keyText(key: string, escaped: boolean): string {
  if (!escaped) return JSON.stringify(key);
  return `"${Array.from({ length: key.length }, (_, at) => `\\u${key.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`;
}

/** The plain way to look for it: object by object, with a list of the keys of each. */
function reference(value: Value, path = ''): string | undefined {
  if (isMembers(value)) {
    const seen: string[] = [];
    for (const [key, inner] of value.members) {
      const at = `${path}.${displayName(key)}`;
      if (seen.includes(key)) return at.slice(1);
      seen.push(key);
      const found = reference(inner, at);
      if (found !== undefined) return found;
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [index, inner] of value.entries()) {
      const found = reference(inner, `${path}[${index}]`);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

const key = fc.oneof(
  fc.constantFrom('a', 'b', 'c', 'd', 'site', 'Site', '__proto__', '1', 'ä', '東'),
  fc.string({ maxLength: 3 }),
);
const { members: anyMembers } = fc.letrec<{ value: Value; members: Members }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.oneof(fc.integer(), fc.boolean(), fc.constantFrom<Value>(null, '{"a":1,"a":2}', ':"', '\\', ''), fc.string()),
    tie('members'),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
  members: fc
    .array(fc.tuple(key, tie('value'), fc.integer({ min: 0, max: 9 })), { maxLength: 5 })
    .map((members) => ({ members: members.map(([name, value, odd]) => [name, value, odd === 0] as const) })),
}));

describe('keys that come again', () => {
  it('are found where a plain look at every object finds them', () => {
    let found = 0;
    fc.assert(
      fc.property(anyMembers, fc.constantFrom('', ' '), (object, blank) => {
        const text = textOf(object, blank);
        const expected = reference(object);
        if (expected !== undefined) found += 1;
        expect(repeatedKeyIn(text)).toBe(expected);
      }),
      { numRuns: 3000 },
    );
    expect(found).toBeGreaterThan(300);
  });

  it('are warned of in every part of a line, and only then', async () => {
    const part = fc.constantFrom('tags', 'desired', 'reported', 'other');
    let warned = 0;
    let clean = 0;
    await fc.assert(
      fc.asyncProperty(anyMembers, part, async (object, where) => {
        const text = lineWith(where, textOf(object));
        const { accepted, warnings } = await checkText(text);
        if (accepted.length === 0) return;
        const path = where === 'desired' || where === 'reported' ? `.properties.${where}` : `.${where}`;
        const expected = reference(object, path);
        const told = warnings.filter(({ code }) => code === 'repeatedKey').map(({ message }) => message);
        expect(told.length).toBe(expected === undefined ? 0 : 1);
        if (expected !== undefined) expect(told[0]).toContain(`The line has ${expected} more than once`);
        if (expected === undefined) clean += 1;
        else warned += 1;
      }),
      { numRuns: 3000 },
    );
    expect(warned).toBeGreaterThan(200);
    expect(clean).toBeGreaterThan(200);
  });

  it.each([
    ['id', '{"id":"rk1","id":"rk2","importMode":"create"}'],
    ['tags', '{"id":"rk3","importMode":"create","tags":{"a":1},"tags":{"b":2}}'],
    ['tags.a', '{"id":"rk4","importMode":"create","tags":{"a":1,"a":2}}'],
    ['properties.desired.x', '{"id":"rk5","properties":{"desired":{"x":{"k":1},"x":{"l":2}}}}'],
    ['authentication.type', '{"id":"rk6","authentication":{"type":"sas","type":"certificateAuthority"}}'],
    ['status', '{"id":"rk7","status":"disabled","status":"enabled"}'],
    ['properties.desired', '{"id":"rk9","properties":{"desired":{"a":1},"desired":{"b":1}}}'],
    ['capabilities.iotEdge', '{"id":"rk10","capabilities":{"iotEdge":false,"iotEdge":true}}'],
    ['tags.list[1].a', '{"id":"rk12","tags":{"list":[{"a":1},{"a":1,"a":2}]}}'],
    ['properties.reported.a', '{"id":"rk13","properties":{"reported":{"a":null,"a":null}}}'],
    ['tags.a', '{"id":"rk14","tags":{"a":1,"\\u0061":2}}'],
    [
      'authentication.symmetricKey.primaryKey',
      `{"id":"rk15","authentication":{"symmetricKey":{"primaryKey":"${KEY_1}","secondaryKey":"${KEY_2}","primaryKey":"${KEY_2}"}}}`,
    ],
  ])('names %s', async (path, text) => {
    const { accepted, warnings } = await checkText(text);
    expect(accepted).toHaveLength(1);
    expect(warnings.filter(({ code }) => code === 'repeatedKey').map(({ message }) => message)).toEqual([
      `The line has ${path} more than once; the last one counts. Keep one of them.`,
    ]);
  });

  it.each([
    ['{"id":"rk8","importMode":"create","Status":"disabled","status":"enabled"}', 'keyTwice'],
    ['{"id":"rk16","authentication":{"Type":"sas","type":"sas"}}', 'keyTwice'],
  ])('that a hub reads as one are refused in another case: %s', async (text, code) => {
    expect((await checkText(text)).rejected).toMatchObject([{ code }]);
  });

  it('of a twin are others in another case', async () => {
    const { accepted, warnings } = await checkText('{"id":"rk11","importMode":"create","tags":{"A":1,"a":2}}');
    expect(accepted).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  it('are warned of in the JSON of a cell of CSV', async () => {
    const { accepted, warnings } = await checkText('id;tags\nrk17;"{""a"":{""b"":1,""b"":2}}"\n', CSV);
    expect(accepted).toHaveLength(1);
    expect(warnings).toMatchObject([{ line: 2, id: 'rk17', code: 'repeatedKey' }]);
    expect(warnings[0]?.message).toContain('tags.a.b');
  });

  it('cost no stack and little time in a line that is nested as deep as it is long', () => {
    const text = `{"a":${'['.repeat(400_000)}${']'.repeat(400_000)},"a":1}`;
    expect(repeatedKeyIn(text)).toBe('a');
  });

  it('are told among hundreds', async () => {
    const tags = Array.from({ length: 300 }, (_, index) => `"k${index}":1`).join(',');
    const once = await checkText(`{"id":"m1","tags":{${tags}}}`);
    expect(once.warnings).toEqual([]);
    const twice = await checkText(`{"id":"m1","tags":{${tags},"k7":2}}`);
    expect(twice.warnings).toMatchObject([{ code: 'repeatedKey' }]);
  });
});

function lineWith(where: string, value: string): string {
  const start = JSON.stringify(wholeDevice('d', { tags: {}, properties: {} })).slice(0, -1);
  switch (where) {
    case 'tags':
      // By a function: `$$` in a text that replaces means `$`.
      return `${start.replace('"tags":{}', () => `"tags":${value}`)}}`;
    case 'other':
      return `${start},"other":${value}}`;
    default:
      return `${start.replace('"properties":{}', () => `"properties":{"${where}":${value}}`)}}`;
  }
}
