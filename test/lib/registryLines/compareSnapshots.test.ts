import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { changeRecord, hasFindings, planCounts } from '../../../src/lib/registryLines/changeForms.ts';
import {
  type Change,
  type CompareOptions,
  compareSnapshots,
  type RejectedIdentityLine,
  type Side,
} from '../../../src/lib/registryLines/compareSnapshots.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hubkeeper-test-'));
});

afterEach(() => {
  // Whatever happened, nothing is left.
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});

type Lines = readonly (string | object)[];

function side(lines: Lines, options: Partial<Side> = {}): Side {
  return {
    keys: 'included',
    async *lines() {
      for (const line of lines) yield typeof line === 'string' ? line : JSON.stringify(line);
    },
    ...options,
  };
}

async function compare(before: Lines, after: Lines, options: Partial<CompareOptions> = {}) {
  const rejected: RejectedIdentityLine[] = [];
  const comparison = compareSnapshots(side(before), side(after), {
    folder,
    rejected: (line) => rejected.push(line),
    ...options,
  });
  const changes: Change[] = [];
  for await (const change of comparison.changes()) changes.push(change);
  return { changes, counts: comparison.counts(), rejected };
}

const summary = ({ id, moduleId, change, fields }: Change) => [
  moduleId === undefined ? id : `${id}/${moduleId}`,
  change,
  ...fields,
];

describe('two snapshots', () => {
  it('are compared identity by identity, in any order of lines', async () => {
    const { changes, counts } = await compare(
      [
        { id: 'gone' },
        { id: 'same', tags: {} },
        { id: 'd', tags: { a: 1 } },
        { id: 'd', moduleId: 'm' },
        { id: 'd', moduleId: 'n' },
      ],
      [
        { id: 'd', moduleId: 'o' },
        { id: 'd', moduleId: 'm', tags: { b: 1 } },
        { id: 'd', tags: { a: 2 } },
        { id: 'new' },
        { id: 'same' },
      ],
      { buckets: 1 },
    );
    expect(changes.map(summary)).toEqual([
      ['d', 'changed', 'tags.a'],
      ['d/m', 'changed', 'tags.b'],
      ['d/n', 'deleted'],
      ['d/o', 'created'],
      ['gone', 'deleted'],
      ['new', 'created'],
    ]);
    expect(changes[0]).toMatchObject({ before: '{"id":"d","tags":{"a":1}}', after: '{"id":"d","tags":{"a":2}}' });
    expect(counts).toEqual({
      ...{ created: 2, deleted: 2, changed: 2, unchanged: 1 },
      ...{ createdModules: 1, deletedModules: 1, changedModules: 1, unchangedModules: 0 },
      ...{ keysUnknown: 0, rejected: 0 },
    });
  });

  it('come in the same order whenever they are compared, a device right before its modules', async () => {
    const after = Array.from({ length: 300 }, (_, index) => [
      { id: `device-${index}`, moduleId: 'b' },
      { id: `device-${index}` },
      { id: `device-${index}`, moduleId: 'a' },
    ]).flat();
    const order = async (lines: Lines) => (await compare([], lines)).changes.map((change) => summary(change)[0] ?? '');
    const first = await order(after);
    expect(await order(after.toReversed())).toEqual(first);
    expect(first).toHaveLength(900);
    for (let at = 0; at < first.length; at += 3) {
      expect(first.slice(at, at + 3)).toEqual([first[at], `${first[at]}/a`, `${first[at]}/b`]);
    }
  });

  it('have large lines, and more than is held in memory', async () => {
    const lines = (text: string) =>
      Array.from({ length: 60 }, (_, index) => ({
        id: `d${index}`,
        tags: { a: text.repeat(1 + index * 400), i: index },
      }));
    const { changes, counts } = await compare(lines('ü'), [...lines('ü').slice(1), { id: 'd0', tags: { i: 1 } }], {
      buckets: 2,
    });
    expect(changes.map(summary)).toEqual([['d0', 'changed', 'tags.a', 'tags.i']]);
    expect(counts.unchanged).toBe(59);
  });

  it('may begin with a line of plain text, and have empty lines, ends of lines of Windows and a byte order mark', async () => {
    const { changes, counts, rejected } = await compare(
      ['Keys are left out of this export.', '{"id":"a","moduleId":null}\r', '', '{"id":"b"}'],
      ['\ufeff{"id":"a"}', '{"ID":"b","ModuleId":""}', '\r', ''],
    );
    expect([changes, rejected]).toEqual([[], []]);
    expect(counts.unchanged).toBe(2);
  });

  it('can be compared in a part', async () => {
    const { changes, counts, rejected } = await compare(
      [{ id: 'a1' }, { id: 'b1' }],
      [{ id: 'a2' }, { id: 'b1', tags: { a: 1 } }, { id: 'b2', moduleId: 5 }, { id: 'a3', moduleId: 5 }, { id: 5 }],
      {
        only: ({ id }) => id.startsWith('a'),
      },
    );
    expect(rejected).toMatchObject([{ line: 4, id: 'a3' }, { line: 5 }]);
    expect(changes.map(summary).sort()).toEqual([
      ['a1', 'deleted'],
      ['a2', 'created'],
    ]);
    expect(counts.changed + counts.unchanged).toBe(0);
  });

  it('tell at most 20 fields of an identity, and how many more there are', async () => {
    const tags = Object.fromEntries(Array.from({ length: 23 }, (_, index) => [`t${index + 10}`, index]));
    const { changes } = await compare([{ id: 'd', tags }], [{ id: 'd' }]);
    expect(changes[0]?.fields).toHaveLength(20);
    expect(changes[0]?.fields[0]).toBe('tags.t10');
    expect(changes[0]?.moreFields).toBe(3);
  });

  it('count identities whose keys one side does not tell', async () => {
    const authentication = { symmetricKey: { primaryKey: 'cHJpbWFyeQ==', secondaryKey: 'c2Vjb25k' }, type: 'sas' };
    const before = side(
      [
        { id: 'a', authentication: null },
        { id: 'b', authentication: null },
      ],
      { keys: 'excluded' },
    );
    const after = side([
      { id: 'a', authentication },
      { id: 'b', authentication, tags: { a: 1 } },
    ]);
    const comparison = compareSnapshots(before, after, { folder });
    const changes: Change[] = [];
    for await (const change of comparison.changes()) changes.push(change);
    expect(changes.map(summary)).toEqual([['b', 'changed', 'tags.a']]);
    expect(comparison.counts()).toMatchObject({ changed: 1, unchanged: 1, keysUnknown: 2 });
  });

  it('need not be parsed where they were verified', async () => {
    const lines = [
      '{"id":"a","eTag":"1"}',
      '{"id":"a","moduleId":"m"}',
      '{"moduleId":"n","id":"a"}',
      '{"id":"\\u0062","tags":{"moduleId":1}}',
    ];
    const comparison = compareSnapshots(side(lines, { verified: true }), side([]), { folder });
    const changes: Change[] = [];
    for await (const change of comparison.changes()) changes.push(change);
    expect(changes.map((change) => summary(change)[0]).sort()).toEqual(['a', 'a/m', 'a/n', 'b']);
  });
});

describe('a line that is not compared', () => {
  it.each([
    ['{"id":"a"', 'badJson'],
    ['[{"id":"a"}]', 'notAnObject'],
    ['a text', 'notAnObject'],
    ['{"status":"enabled"}', 'idMissing'],
    ['{"id":7}', 'wrongType'],
    ['{"id":"a","moduleId":{}}', 'wrongType'],
    ['{"id":"a\\tb"}', 'idCharacters'],
    [`{"id":"${'a'.repeat(129)}"}`, 'idTooLong'],
  ])('%s is told, with its number', async (line, code) => {
    const { changes, counts, rejected } = await compare([{ id: 'x' }, line], [{ id: 'x' }]);
    expect(rejected).toEqual([expect.objectContaining({ side: 'before', line: 2, code })]);
    expect(changes).toEqual([]);
    expect(counts).toMatchObject({ rejected: 1, unchanged: 1 });
  });

  it('is told with its device before any change, where only its module has no name', async () => {
    const order: unknown[] = [];
    const after = side(['{"ID":"ä","moduleId":5}', '{"id":"a\\tb","moduleId":"m"}'], { verified: true });
    const rejected = ({ id, code }: RejectedIdentityLine) => order.push([code, id]);
    const comparison = compareSnapshots(side([{ id: 'ä' }]), after, { folder, rejected });
    for await (const { change, id } of comparison.changes()) order.push([change, id]);
    expect(order).toEqual([
      ['wrongType', 'ä'],
      ['idCharacters', undefined],
      ['deleted', 'ä'],
    ]);
  });

  it('is one of an identity that was there before: the first counts, and both lines are named', async () => {
    const { changes, rejected } = await compare(
      [{ id: 'd', moduleId: 'm' }, { id: 'd' }],
      [{ id: 'd' }, { id: 'd', tags: { a: 1 } }, { id: 'd', moduleId: 'm' }, { id: 'd', tags: { a: 2 } }],
    );
    expect(changes).toEqual([]);
    expect(rejected).toMatchObject([
      {
        side: 'after',
        line: 2,
        id: 'd',
        code: 'duplicate',
        reason: 'The line is a duplicate of line 1: both have the same id.',
      },
      {
        side: 'after',
        line: 4,
        id: 'd',
        code: 'duplicate',
        reason: 'The line is a duplicate of line 1: both have the same id.',
      },
    ]);
  });

  it('never says what stands in it', async () => {
    const secret = 'cHJpbWFyeUtleW9mYWRldmljZTAwMDA=';
    const { rejected } = await compare([`{"id":"a","authentication":"${secret}`, `{"${secret}":1}`], []);
    expect(rejected).toHaveLength(2);
    expect(JSON.stringify(rejected)).not.toContain(secret);
    const verified = side([`{"id":"a","authentication":"${secret}`], { verified: true });
    const changes = compareSnapshots(verified, side([{ id: 'a' }]), { folder }).changes();
    await expect(changes.next()).rejects.toThrow('A line of the device a in a snapshot is no JSON.');
  });
});

describe('what is put aside on disk', () => {
  const many = Array.from({ length: 2000 }, (_, index) => ({ id: `d${index}` }));

  it('is in a folder that nobody else may enter', async () => {
    const changes = compareSnapshots(side([]), side(many), { folder }).changes();
    await changes.next();
    const [own = ''] = readdirSync(folder);
    expect(statSync(path.join(folder, own)).mode & 0o777).toBe(0o700);
    // Its files have no name any more: they end with the process.
    if (process.platform !== 'win32') expect(readdirSync(path.join(folder, own))).toEqual([]);
    await changes.return(undefined);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('goes when it is interrupted', async () => {
    const controller = new AbortController();
    const after = side([], {
      async *lines() {
        for (const line of many) yield JSON.stringify({ ...line, tags: { a: 'a'.repeat(1000) } });
        controller.abort();
      },
    });
    const { changes } = compareSnapshots(side(many), after, { folder, signal: controller.signal });
    await expect(changes().next()).rejects.toThrow('aborted');
  });

  it('goes when a side cannot be read', async () => {
    const after = side([], {
      async *lines() {
        yield '{"id":"a"}';
        throw new Error('The connection is gone.');
      },
    });
    await expect(compareSnapshots(side(many), after, { folder }).changes().next()).rejects.toThrow('connection');
  });

  it('needs the folder it is given', async () => {
    const missing = path.join(folder, 'missing');
    await expect(compareSnapshots(side([]), side([]), { folder: missing }).changes().next()).rejects.toMatchObject({
      code: 'temporaryFolderUnusable',
      message: expect.stringContaining(`${missing} (ENOENT)`),
    });
    mkdirSync(missing);
    expect(await compareSnapshots(side([]), side([]), { folder: missing }).changes().next()).toMatchObject({
      done: true,
    });
    rmSync(missing, { recursive: true });
  });
});

describe('what scripts read', () => {
  it('has no values', async () => {
    const { changes, counts } = await compare(
      [{ id: 'd', moduleId: 'm' }],
      [{ id: 'd', moduleId: 'm', tags: { a: 1 } }],
    );
    expect(changes.map(changeRecord)).toEqual([{ id: 'd', moduleId: 'm', change: 'changed', fields: ['tags.a'] }]);
    expect(planCounts(counts)).toEqual({
      ...{ create: 0, change: 1, delete: 0, unchanged: 0, rejected: 0, keysUnknown: 0 },
      modules: { create: 0, change: 1, delete: 0, unchanged: 0 },
    });
    expect(hasFindings(counts)).toBe(true);
    expect(hasFindings((await compare([{ id: 'd' }], [{ id: 'd' }])).counts)).toBe(false);
    expect(hasFindings((await compare(['{'], [])).counts)).toBe(true);
  });
});

/** An identity as it is written in a property test; `noise` is what does not count. */
interface Written {
  readonly id: string;
  readonly moduleId?: string;
  readonly status: string;
  readonly tags: Readonly<Record<string, unknown>>;
  readonly desired: Readonly<Record<string, unknown>>;
  readonly edge: boolean;
}

const value = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }),
  fc.constantFrom('a', 'ä', '', true, false, 0.5, 1e100),
  fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 2 }),
);
const section = fc.dictionary(
  fc.constantFrom('a', 'b', 'toString', 'ü'),
  fc.oneof(value, fc.dictionary(fc.constantFrom('x', 'y'), value, { minKeys: 1 })),
);
const identity: fc.Arbitrary<Written> = fc.record(
  {
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'd-1', 'A'),
    moduleId: fc.constantFrom('m', 'n'),
    status: fc.constantFrom('enabled', 'disabled'),
    tags: section,
    desired: section,
    edge: fc.boolean(),
  },
  { requiredKeys: ['id', 'status', 'tags', 'desired', 'edge'] },
);
const nameOf = ({ id, moduleId }: { readonly id: string; readonly moduleId?: string }) =>
  JSON.stringify([id, moduleId]);
const registry = fc.uniqueArray(identity, { selector: nameOf, maxLength: 14 });

/** One of the many ways to write the same identity. */
function lineOf(written: Written, noise: number): string {
  const { id, moduleId, status, tags, desired, edge } = written;
  const properties = { desired: reordered(desired, noise), reported: { noise } };
  const members = Object.entries({
    id,
    ...(moduleId === undefined ? (noise % 2 === 0 ? { moduleId: null } : {}) : { moduleId }),
    eTag: String(noise),
    status: noise % 3 === 0 ? status.toUpperCase() : status,
    tags: Object.keys(tags).length === 0 && noise % 2 === 0 ? null : reordered(tags, noise),
    properties,
    ...(edge || noise % 2 === 0 ? { capabilities: { iotEdge: edge } } : {}),
  });
  const text = JSON.stringify(Object.fromEntries(noise % 5 === 0 ? members.reverse() : members));
  return noise % 4 === 0 ? text.replaceAll(/:(-?[1-9][0-9]*)(?=[,}])/g, ': $1.0') : text;
}

function reordered(fields: Readonly<Record<string, unknown>>, noise: number): object {
  const entries = Object.entries(fields).map(([key, member]) => [
    key,
    typeof member === 'object' && !Array.isArray(member) ? reordered(member as Record<string, unknown>, noise) : member,
  ]);
  return Object.fromEntries(noise % 2 === 0 ? entries.reverse() : entries);
}

/** The same, slowly and obviously: maps of everything. */
function expected(before: readonly Written[], after: readonly Written[]): Map<string, string> {
  const changes = new Map<string, string>();
  const there = new Map(before.map((written) => [nameOf(written), written]));
  const wanted = new Map(after.map((written) => [nameOf(written), written]));
  const essence = ({ moduleId, status, ...rest }: Written) => ({
    ...rest,
    ...(moduleId === undefined ? { status } : {}),
  });
  for (const [name, written] of wanted) {
    const was = there.get(name);
    if (was === undefined) changes.set(name, 'created');
    else if (!isDeepStrictEqual(essence(was), essence(written))) changes.set(name, 'changed');
  }
  for (const name of there.keys()) if (!wanted.has(name)) changes.set(name, 'deleted');
  return changes;
}

describe('whatever stands in two snapshots, and however it is written,', () => {
  it('each change is told once, and nothing else', async () => {
    const noise = fc.array(fc.nat({ max: 60 }), { minLength: 30, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(registry, registry, noise, fc.constantFrom(1, 3, 8), async (before, other, how, buckets) => {
        // Much of it is the same on both sides.
        const names = new Set(other.map(nameOf));
        const after = [...other, ...before.filter((written) => !names.has(nameOf(written))).slice(0, 9)];
        const { changes, counts, rejected } = await compare(
          before.map((written, index) => lineOf(written, how[index] ?? 0)),
          after.map((written, index) => lineOf(written, how[29 - index] ?? 1)),
          { buckets },
        );
        const told = new Map(changes.map((change) => [nameOf(change), change.change as string]));
        expect(told).toEqual(expected(before, after));
        expect(told.size).toBe(changes.length);
        expect(rejected).toEqual([]);
        expect(counts.unchanged + counts.changed + counts.deleted).toBe(before.length);
        expect(counts.unchanged + counts.changed + counts.created).toBe(after.length);
      }),
      { numRuns: 150 },
    );
  });
});
