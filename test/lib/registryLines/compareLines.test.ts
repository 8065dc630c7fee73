import { describe, expect, it } from 'vitest';

import { compareLines } from '../../../src/lib/registryLines/compareLines.ts';

async function* texts(values: readonly object[]): AsyncGenerator<string> {
  for (const value of values) yield JSON.stringify(value);
}

async function* rows(values: readonly (readonly [string, string | null])[]) {
  yield* values;
}

const compare = (
  lines: readonly object[],
  snapshot: readonly object[],
  parents: readonly (readonly [string, string | null])[] = [],
) => compareLines({ lines: texts(lines), snapshot: texts(snapshot), parents: () => rows(parents) });

describe('a file compared with a snapshot', () => {
  it('is counted, and each line is told what would happen to it', async () => {
    const plan = await compare(
      [
        { id: 'new', importMode: 'create' },
        { id: 'there', importMode: 'create' },
        { id: 'bare' },
        { id: 'gone', importMode: 'update' },
        { id: 'old', importMode: 'deleteIfMatchETag', eTag: 'x' },
        { id: 'same', importMode: 'deleteIfMatchETag', eTag: '"y"' },
        { id: 'nothing', importMode: 'delete' },
        { id: 'twin', importMode: 'updateTwinIfMatchETag', eTag: 'not asked', twinETag: 't' },
      ],
      [
        { id: 'there' },
        { id: 'bare' },
        { id: 'old', eTag: 'z' },
        { id: 'same', eTag: 'y' },
        { id: 'twin', eTag: 'e', twinETag: 't' },
        { id: 'nobody asked for this one' },
      ],
    );
    expect(plan.effects).toEqual({
      created: 1,
      overwritten: 1,
      twinUpdated: 1,
      deleted: 1,
      unchanged: 1,
      failsExists: 1,
      failsMissing: 1,
      failsDeviceMissing: 0,
      failsEtag: 1,
    });
    const effectOf = (id: string) => plan.of({ id }).effect;
    expect(['new', 'there', 'bare', 'gone', 'old', 'same', 'nothing', 'twin'].map(effectOf)).toEqual([
      'created',
      'failsExists',
      'overwritten',
      'failsMissing',
      'failsEtag',
      'deleted',
      'unchanged',
      'twinUpdated',
    ]);
    expect(() => plan.of({ id: 'nobody asked for this one' })).toThrow('no line');
  });

  it('takes an ETag that the snapshot does not show for one that matches, and never that of another device', async () => {
    const ifMatch = (id: string, eTag: string) => ({ id, importMode: 'updateIfMatchETag', eTag });
    const plan = await compare([ifMatch('a', '1'), ifMatch('b', '2')], [{ id: 'a' }, { id: 'b', eTag: '1' }]);
    expect([plan.of({ id: 'a' }).effect, plan.of({ id: 'b' }).effect]).toEqual(['overwritten', 'failsEtag']);
  });

  it('follows the devices of its modules: there, created, failing to be created, deleted, nowhere', async () => {
    const devices = [
      { id: 'created', importMode: 'create' },
      { id: 'missing', importMode: 'update' },
      { id: 'deleted', importMode: 'delete' },
      { id: 'exists', importMode: 'create' },
      { id: 'kept', importMode: 'deleteIfMatchETag', eTag: 'x' },
    ];
    const ids = [...devices.map(({ id }) => id), 'there', 'nowhere'];
    const module = (id: string, importMode: string) => ({ id, moduleId: importMode, importMode });
    const lines = ids.flatMap((id) => ['createOrUpdate', 'update', 'delete'].map((mode) => module(id, mode)));
    const snapshot = ['deleted', 'exists', 'kept', 'there'].flatMap((id) => [
      { id, eTag: 'y' },
      module(id, 'update'),
      module(id, 'delete'),
    ]);
    const plan = await compare([...devices, ...lines], snapshot);
    const modules = (id: string) =>
      ['createOrUpdate', 'update', 'delete'].map((moduleId) => plan.of({ id, moduleId }).effect);
    const orphaned = ['failsDeviceMissing', 'failsDeviceMissing', 'unchanged'];
    const fine = ['created', 'overwritten', 'deleted'];
    expect(modules('created')).toEqual(['created', 'failsMissing', 'unchanged']);
    expect(modules('missing')).toEqual(orphaned);
    expect(modules('deleted')).toEqual(orphaned);
    expect(modules('nowhere')).toEqual(orphaned);
    for (const id of ['exists', 'kept', 'there']) expect(modules(id)).toEqual(fine);
    expect(plan).toMatchObject({ effects: { deleted: 4 }, deletedModules: 3 });
  });

  it('knows that the device of a module that is there is there, too', async () => {
    const lines = [
      { id: 'a', moduleId: 'm', importMode: 'delete' },
      { id: 'b', moduleId: 'new' },
    ];
    const snapshot = [
      { id: 'a', moduleId: 'm' },
      { id: 'b', moduleId: 'm' },
    ];
    const plan = await compare(lines, snapshot);
    expect(plan).toMatchObject({ effects: { deleted: 1, created: 1 }, deletedModules: 1 });
  });

  it('counts as disabled what is enabled now', async () => {
    const plan = await compare(
      [
        { id: 'enabled', status: 'Disabled' },
        { id: 'disabled', status: 'disabled' },
        { id: 'new', status: 'disabled' },
        { id: 'twin', status: 'disabled', importMode: 'updateTwin' },
        { id: 'exists', status: 'disabled', importMode: 'create' },
        { id: 'stays', status: 'enabled' },
      ],
      [
        { id: 'enabled', status: 'enabled' },
        { id: 'disabled', status: 'disabled' },
        { id: 'twin', status: 'enabled' },
        { id: 'exists', status: 'enabled' },
        { id: 'stays', status: 'enabled' },
      ],
    );
    expect(plan.disabled).toBe(1);
    expect(plan.of({ id: 'enabled' }).disables).toBe(true);
    expect(plan.of({ id: 'disabled' }).disables).toBe(false);
  });

  it('names devices whose parent is not there, and nothing in the file makes it', async () => {
    const plan = await compare(
      [{ id: 'a' }, { id: 'b' }, { id: 'c' }, { id: 'd' }, { id: 'new' }, { id: 'gone', importMode: 'delete' }],
      [{ id: 'gone' }, { id: 'hall' }],
      [
        ['a', 'hall'],
        ['b', 'nowhere'],
        ['c', 'new'],
        ['d', 'gone'],
        ['new', null],
      ],
    );
    expect(plan.lackingParent).toBe(2);
    expect(['a', 'b', 'c', 'd'].map((id) => plan.of({ id }).lacksParent)).toEqual([false, true, false, true]);
    expect(() => plan.of({ id: 'hall' })).toThrow('no line');
  });

  it('holds for 200,000 lines and a registry of as many, in a few bytes each', async () => {
    const count = 200_000;
    const file = async function* () {
      for (let index = 0; index < count; index++) yield `{"id":"device-${index}","importMode":"delete"}`;
      for (let index = 0; index < 1_000; index++)
        yield `{"id":"device-${index * 2}","moduleId":"m","importMode":"update"}`;
    };
    const snapshot = async function* () {
      yield 'not a line';
      for (let index = 0; index < count; index++) if (index % 4 !== 0) yield `{"id":"device-${index}"}`;
    };
    const plan = await compareLines({ lines: file(), snapshot: snapshot() });
    expect(plan.effects).toMatchObject({ deleted: (count * 3) / 4, unchanged: count / 4, failsDeviceMissing: 1_000 });
  });
});
