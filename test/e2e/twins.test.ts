import { afterAll, describe, expect, it } from 'vitest';
import { NOW, shareStack, type TestStack } from '../helpers/stack.ts';
import { readRegistry } from '../scenarios/readRegistry.ts';
import { judge } from '../scenarios/registryOracle.ts';
import { setFaults } from '../scenarios/retryRun.ts';

const shared = shareStack({ settings: { DROP_SETTLE_SECONDS: '0', HUB_TIER: 'S3' } });
afterAll(() => shared.stop());

const file = (...lines: readonly object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');
const desired = (section: object) => ({ properties: { desired: section } });
const BEFORE = { tags: { a: 1, b: 2, site: 'faro' }, ...desired({ x: 1, y: { p: 1, q: 2 } }) };
/** Of a device, and of a module of another one. */
const IDENTITIES = [{ id: 'u1' }, { id: 'u2' }, { id: 'u3', moduleId: 'm1' }, { id: 'u4', moduleId: 'm1' }] as const;

/** Drops a file, and has the oracle compare what its report says with what the registry was and is. */
async function run(stack: TestStack, name: string, text: string, metadata: Record<string, string> = {}) {
  const before = readRegistry(stack.data);
  await stack.drop(`${name}/devices.txt`, text, { ...NOW, ...metadata });
  const record = await stack.finalRecord(`${name}/devices.txt`);
  const rows = await stack.rows(record);
  expect(judge({ before, after: readRegistry(stack.data), file: text, rows }).contradictions).toEqual([]);
  return record;
}

async function fill(stack: TestStack): Promise<void> {
  const devices = ['u1', 'u2', 'u3', 'u4'].map((id) => ({
    id,
    importMode: 'create',
    ...(/[12]/.test(id) ? BEFORE : {}),
  }));
  const modules = IDENTITIES.filter((identity) => 'moduleId' in identity);
  await run(stack, 'before', file(...devices, ...modules.map((id) => ({ ...id, importMode: 'create', ...BEFORE }))));
}

function twins(stack: TestStack): { tags: object; desired: object }[] {
  const registry = readRegistry(stack.data);
  return IDENTITIES.map((identity) => {
    const key = 'moduleId' in identity ? `${identity.id} / ${identity.moduleId}` : identity.id;
    const { tags = {}, desired: section = {} } = registry.get(key) ?? {};
    return { tags, desired: section };
  });
}

const patches = async (stack: TestStack): Promise<number> => {
  const { activity } = (await (await fetch(`${stack.hubAdminUrl}/state`)).json()) as {
    activity: { operations: Record<string, Record<string, number>> };
  };
  const of = (name: string) => Object.values(activity.operations[name] ?? {}).reduce((sum, count) => sum + count, 0);
  return of('patchTwin') + of('patchModuleTwin');
};

describe.each(['replace', 'merge'] as const)('on a hub whose imports %s sections of twins', (importTwin) => {
  it('updateTwin merges, null deletes, and only what had to go is patched', async () => {
    await shared.use(
      async (stack) => {
        await fill(stack);
        const mode = { importMode: 'updateTwin' };
        const nulls = IDENTITIES.map((identity) => ({ ...identity, ...mode, tags: { site: null } }));
        expect(await run(stack, 'null', file(...nulls))).toMatchObject({
          state: 'completed',
          outcomes: { succeeded: 4 },
        });
        expect(twins(stack)).toEqual(
          IDENTITIES.map(() => ({ tags: { a: 1, b: 2 }, desired: { x: 1, y: { p: 1, q: 2 } } })),
        );
        expect(await patches(stack)).toBe(4);
        const partial = IDENTITIES.map((identity) => ({ ...identity, ...mode, ...desired({ y: { p: 5 } }) }));
        await run(stack, 'partial', file(...partial));
        expect(twins(stack)).toEqual(
          IDENTITIES.map(() => ({ tags: { a: 1, b: 2 }, desired: { x: 1, y: { p: 5, q: 2 } } })),
        );
        expect(await patches(stack)).toBe(4);

        // As rows of CSV; under the ETag of the twin; and for one that is not there.
        const twin = (await stack.rest('GET', '/twins/u2')).body as { readonly etag: string };
        await stack.drop('rows/devices.csv', 'id,importMode,tags\nu1,updateTwin,"{""a"":null}"\n');
        expect(await stack.finalRecord('rows/devices.csv')).toMatchObject({ outcomes: { succeeded: 1 } });
        const compared = { importMode: 'updateTwinIfMatchETag', twinETag: twin.etag, tags: { b: null, c: 3 } };
        const last = await run(
          stack,
          'compared',
          file(
            { id: 'u2', ...compared },
            { id: 'u3', ...compared, twinETag: 'AAAA' },
            { id: 'none', ...mode, tags: { a: null } },
          ),
        );
        expect(last).toMatchObject({ outcomes: { succeeded: 1, failed: 2 } });
        expect(
          twins(stack)
            .slice(0, 2)
            .map(({ tags }) => tags),
        ).toEqual([{ b: 2 }, { a: 1, c: 3 }]);
      },
      { importTwin },
    );
  });

  it('what overwrites replaces the sections that it gives, and leaves the others', async () => {
    await shared.use(
      async (stack) => {
        await fill(stack);
        const modes = ['update', 'createOrUpdate', 'update', 'createOrUpdate'];
        const lines = IDENTITIES.map((identity, index) => ({
          ...identity,
          importMode: modes[index],
          tags: { b: 3, c: null },
        }));
        await run(stack, 'tags', file(...lines, { id: 'new', tags: { n: 1 } }));
        expect(twins(stack)).toEqual(IDENTITIES.map(() => ({ tags: { b: 3 }, desired: { x: 1, y: { p: 1, q: 2 } } })));
        const etag = readRegistry(stack.data).get('u1')?.eTag;
        const ifMatch = { id: 'u1', importMode: 'updateIfMatchETag', eTag: etag, ...desired({ y: { q: 9 } }) };
        await run(stack, 'desired', file(ifMatch, { id: 'u2', tags: {} }));
        expect(twins(stack).slice(0, 2)).toEqual([
          { tags: { b: 3 }, desired: { y: { q: 9 } } },
          { tags: {}, desired: { x: 1, y: { p: 1, q: 2 } } },
        ]);
      },
      { importTwin },
    );
  });

  it('a stale ETag leaves identity and twin as they are', async () => {
    await shared.use(
      async (stack) => {
        await fill(stack);
        const before = readRegistry(stack.data);
        const stale = { importMode: 'updateIfMatchETag', eTag: 'AAAA', tags: { b: 2 } };
        const lines = IDENTITIES.map((identity, index) => ({
          ...identity,
          ...stale,
          ...('moduleId' in identity ? {} : { status: 'disabled' }),
          ...(index % 2 === 0 ? {} : { importMode: 'createOrUpdateIfMatchETag', ...desired({}) }),
        }));
        const record = await run(stack, 'stale', file(...lines));
        expect(record).toMatchObject({ outcomes: { failed: 4 } });
        expect((await stack.rows(record)).map(({ code }) => code)).toEqual(Array(4).fill('PreconditionFailed'));
        expect(readRegistry(stack.data)).toEqual(before);
      },
      { importTwin },
    );
  });

  it('lines that are retried keep the same words, and do not undo what changed meanwhile', async () => {
    await shared.use(
      async (stack) => {
        await fill(stack);
        // Each line fails once: the first half although it was applied.
        await setFaults(stack, [
          { operation: 'importLine', code: 'ServerError', when: 'after', ids: ['u1', 'u3'], transient: 1 },
          { operation: 'importLine', code: 'ThrottlingException', ids: ['u2', 'u4'], transient: 1 },
        ]);
        const foreign = await fetch(`${stack.hubAdminUrl}/jobs`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ durationMs: 600_000 }),
        });
        const lines = IDENTITIES.map((identity) => ({
          ...identity,
          importMode: 'updateTwin',
          tags: { site: null, c: 3 },
          ...desired({ y: { p: 5, q: null } }),
        }));
        await stack.drop('again/devices.txt', file(...lines));
        await stack.until('the pre-image to be taken, and the hub to be busy', async () => {
          const record = await stack.recordOf('again/devices.txt');
          return record?.preImage !== undefined && record.waiting?.kind === 'busy';
        });
        for (const path of ['/twins/u1', '/twins/u2', '/twins/u3/modules/m1', '/twins/u4/modules/m1']) {
          await stack.rest('PATCH', path, { tags: { a: 'changed', late: true } });
        }
        const { jobId } = (await foreign.json()) as { readonly jobId: string };
        await stack.rest('DELETE', `/jobs/${jobId}`);
        expect(await stack.finalRecord('again/devices.txt')).toMatchObject({
          state: 'completed',
          outcomes: { succeeded: 4 },
        });
        expect(twins(stack)).toEqual(
          IDENTITIES.map(() => ({ tags: { a: 'changed', b: 2, c: 3, late: true }, desired: { x: 1, y: { p: 5 } } })),
        );
      },
      { importTwin },
    );
  });
});

it('without a pre-image nothing is merged: such lines are rejected', async () => {
  await shared.use(async (stack) => {
    await fill(stack);
    const confirm = /HostName=([^;]+)/.exec(stack.connectionString)?.[1] ?? '';
    const record = await run(stack, 'never', file({ id: 'u1', importMode: 'updateTwin', tags: { site: null } }), {
      backupfirst: 'never',
      confirm,
    });
    expect(record).toMatchObject({ outcomes: { rejected: 1 } });
    expect((await stack.rows(record))[0]).toMatchObject({ code: 'cannotMerge' });
  });
});
