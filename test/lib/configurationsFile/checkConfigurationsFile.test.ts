import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  type CheckedFile,
  checkConfigurationsFile,
  MOST_LINES,
} from '../../../src/lib/configurationsFile/checkConfigurationsFile.ts';
import { configurationDifferences } from '../../../src/lib/configurationsFile/configurationDifferences.ts';

async function* chunksOf(content: string | Buffer, size = 65_536): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(content);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const check = (content: string | Buffer, size?: number): Promise<CheckedFile> =>
  checkConfigurationsFile(chunksOf(content, size), 'box/configurations.txt');

const content = { deviceContent: { 'properties.desired.interval': 30 } };

async function verdictOn(line: object): Promise<unknown> {
  const [found] = (await check(JSON.stringify(line))).lines;
  if (found === undefined) throw new Error('no line');
  return found.kind === 'rejected' ? [found.code, found.path] : found.kind;
}

describe('a line of configurations.txt', () => {
  it('is read as live exports write it: its own keys in any case, those of the content as they are', async () => {
    const line = {
      Id: 'c1',
      SchemaVersion: '1.0',
      Labels: { Team: 'a' },
      Content: { DeviceContent: {}, ModulesContent: { $edgeAgent: { 'properties.desired.Modules.X': {} } } },
      TargetCondition: "tags.Site='x'",
      CreatedTimeUtc: '2026-01-01T00:00:00Z',
      LastUpdatedTimeUtc: '2026-01-01T00:00:00Z',
      Priority: 3,
      SystemMetrics: { Results: { targetedCount: 1 }, Queries: {} },
      Metrics: { Results: { q: 1 }, Queries: { q: 'SELECT deviceId FROM devices' } },
      ETag: 'MQ==',
      ContentType: 'assignment',
    };
    const checked = await check(`\uFEFF${JSON.stringify(line)}\r\n\r\n`);
    expect(checked).toMatchObject({ accepted: 1, rejected: 0, warnings: 0 });
    expect(checked.lines).toEqual([
      {
        kind: 'accepted',
        line: 1,
        id: 'c1',
        // Without the ETag: of which hub it is, nobody knows.
        configuration: {
          id: 'c1',
          schemaVersion: '1.0',
          labels: { Team: 'a' },
          content: { modulesContent: { $edgeAgent: { 'properties.desired.Modules.X': {} } } },
          targetCondition: "tags.Site='x'",
          priority: 3,
          metricQueries: { q: 'SELECT deviceId FROM devices' },
        },
      },
    ]);
  });

  it('has its ETag compared only when its import mode asks for that', async () => {
    const etagOf = async (line: object) => {
      const [found] = (await check(JSON.stringify({ id: 'c', content, ...line }))).lines;
      return found?.kind === 'accepted' ? (found.configuration.etag ?? 'none') : found;
    };
    expect(await etagOf({ etag: 'MQ==' })).toBe('none');
    expect(await etagOf({ etag: '"MQ=="', importMode: 'CreateOrUpdateIfMatchETag' })).toBe('MQ==');
    expect(await etagOf({ etag: '*', importMode: 'createOrUpdateIfMatchETag' })).toBe('none');
  });

  const good = { id: 'c', content };
  const cases: readonly { readonly line: object; readonly expected: unknown }[] = [
    { line: good, expected: 'accepted' },
    { line: { ...good, id: "a-b+c%d_e*f!g'9" }, expected: 'accepted' },
    { line: { ...good, id: 'x'.repeat(128) }, expected: 'accepted' },
    { line: { ...good, labels: null, metrics: null, priority: null, targetCondition: '' }, expected: 'accepted' },
    { line: { ...good, content: { moduleContent: { 'properties.desired': {} } } }, expected: 'accepted' },
    { line: { ...good, colour: 1 }, expected: 'accepted' },
    { line: { content }, expected: ['idMissing', undefined] },
    { line: { ...good, id: 7 }, expected: ['wrongType', 'id'] },
    { line: { ...good, id: 'Upper' }, expected: ['configurationId', 'id'] },
    { line: { ...good, id: 'x'.repeat(129) }, expected: ['configurationId', 'id'] },
    { line: { ...good, ID: 'd' }, expected: ['keyTwice', 'id'] },
    { line: { ...good, importMode: 'create' }, expected: ['importModeUnknown', 'importMode'] },
    { line: { ...good, importMode: 'createOrUpdateIfMatchETag' }, expected: ['etagMissing', 'etag'] },
    { line: { id: 'c' }, expected: ['contentMissing', 'content'] },
    { line: { id: 'c', content: { deviceContent: {} } }, expected: ['contentMissing', 'content'] },
    { line: { id: 'c', content: 'x' }, expected: ['wrongType', 'content'] },
    {
      line: { id: 'c', content: { ...content, moduleContent: { 'properties.desired.a': 1 } } },
      expected: ['contentMixed', 'content'],
    },
    {
      line: { id: 'c', content: { deviceContent: { interval: 1 } } },
      expected: ['contentKey', 'content.deviceContent'],
    },
    {
      line: { id: 'c', content: { deviceContent: { 'properties.desiredX': 1 } } },
      expected: ['contentKey', 'content.deviceContent'],
    },
    {
      line: { id: 'c', content: { modulesContent: { m: {} } } },
      expected: ['edgeAgentMissing', 'content.modulesContent'],
    },
    {
      line: { id: 'c', content: { modulesContent: { $edgeAgent: 1 } } },
      expected: ['wrongType', 'content.modulesContent.$edgeAgent'],
    },
    { line: { ...good, targetCondition: 5 }, expected: ['wrongType', 'targetCondition'] },
    { line: { ...good, priority: -1 }, expected: ['wrongType', 'priority'] },
    { line: { ...good, priority: 1.5 }, expected: ['wrongType', 'priority'] },
    { line: { ...good, labels: { a: 1 } }, expected: ['wrongType', 'labels'] },
    { line: { ...good, metrics: { queries: ['x'] } }, expected: ['wrongType', 'metrics.queries'] },
    { line: { ...good, metrics: 'x' }, expected: ['wrongType', 'metrics'] },
  ];
  it.each(cases)('$line is $expected', async ({ line, expected }) => {
    expect(await verdictOn(line)).toEqual(expected);
  });

  it('is refused with all its problems, and never with a value of it', async () => {
    const secret = 'hunter2hunter2';
    const line = { id: secret.toUpperCase(), content: { deviceContent: { [secret]: secret } }, priority: secret };
    const text = `${JSON.stringify(line)}\n{"id":"${secret}`;
    const { lines } = await check(text);
    expect(lines).toHaveLength(2);
    expect(JSON.stringify(lines).toLowerCase()).not.toContain(secret);
    const [first] = lines;
    expect(first).toMatchObject({ kind: 'rejected', code: 'configurationId' });
    expect(first?.kind === 'rejected' ? first.reason : '').toMatch(/priority.*properties\.desired/s);
  });

  it('nested without end is one rejected line, not the end of the check', async () => {
    const deep = `{"id":"deep","content":{"deviceContent":{"properties.desired.a":${'['.repeat(50_000)}${']'.repeat(50_000)}}}}`;
    const { lines } = await check(`${deep}\n${JSON.stringify(good)}`);
    expect(lines).toMatchObject([{ kind: 'rejected', code: 'nestedTooDeep' }, { kind: 'accepted' }]);
  });
});

describe('a configurations.txt', () => {
  it('of which an id stands twice keeps the first, whether that is good or not', async () => {
    const bad = { id: 'a', content: 1 };
    const lines = [{ id: 'b', content }, bad, { id: 'b', content }, { id: 'a', content }];
    const checked = await check(lines.map((line) => JSON.stringify(line)).join('\n'));
    expect(checked.lines.map((line) => ('code' in line ? line.code : line.kind))).toEqual([
      'accepted',
      'wrongType',
      'duplicate',
      'duplicate',
    ]);
    expect(checked).toMatchObject({ accepted: 1, rejected: 3 });
  });

  it('is read the same however it is cut, with every line in one place', async () => {
    const text = `Exported without keys.\n{"id":"ä","x":1}\n\n${JSON.stringify({ id: 'a', content })}\r\n"x"\n{]\n`;
    const whole = await check(text);
    expect(whole.lines.map(({ kind, line }) => [line, kind])).toEqual([
      [1, 'skipped'],
      [2, 'rejected'],
      [4, 'accepted'],
      [5, 'rejected'],
      [6, 'rejected'],
    ]);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), async (size) => {
        expect(await check(text, size)).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ['configurationsUnreadable', '[{"id":"a"}]'],
    ['configurationsUnreadable', '{\n"id":"a"}'],
    ['configurationsUnreadable', Buffer.from('{"id":"a"}', 'utf16le')],
    ['configurationsUnreadable', Buffer.from([0x7b, 0x22, 0x00])],
    ['configurationsCompressed', Buffer.from([0x1f, 0x8b, 8, 0])],
    ['configurationsTooMany', '{}\n'.repeat(MOST_LINES + 1)],
    ['configurationsTooLarge', ' '.repeat(16 * 1024 * 1024 + 1)],
  ])('is refused as a whole, by name: %s', async (code, text) => {
    await expect(check(text)).rejects.toMatchObject({
      code,
      message: expect.stringContaining('box/configurations.txt'),
      action: expect.any(String),
    });
  });

  it('may be empty, or have lines that are no text or too long among good ones', async () => {
    expect(await check('')).toMatchObject({ lines: [], accepted: 0 });
    const good = Buffer.from(`${JSON.stringify({ id: 'a', content })}\n`);
    const long = Buffer.from(`{"id":"${'x'.repeat(1024 * 1024)}"}\n`);
    const { lines } = await check(Buffer.concat([good, Buffer.from([0xff, 0x0a]), long]));
    expect(lines.map((line) => ('code' in line ? line.code : line.kind))).toEqual([
      'accepted',
      'badUtf8',
      'lineTooLong',
    ]);
  });
});

describe('a configuration of a hub', () => {
  it('is the same as a line but for the order of keys and for defaults', () => {
    const wanted = { id: 'c', content: { deviceContent: { 'properties.desired': { a: 1, b: [1, 2] } } } };
    const held = {
      id: 'c',
      schemaVersion: '2.0',
      labels: {},
      content: { deviceContent: { 'properties.desired': { b: [1, 2], a: 1 } } },
      targetCondition: '',
      priority: 0,
    };
    expect(configurationDifferences(wanted, held)).toEqual([]);
    expect(configurationDifferences({ ...wanted, priority: 1, labels: { a: 'b' } }, held)).toEqual([
      'priority',
      'labels',
    ]);
    const other = { ...held, content: { deviceContent: { 'properties.desired': { a: 1, b: [2, 1] } } } };
    expect(configurationDifferences(wanted, other)).toEqual(['content']);
  });
});
