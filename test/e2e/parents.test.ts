import { afterAll, describe, expect, it } from 'vitest';
import { shareStack } from '../helpers/stack.ts';
import { type Device, edge, expectHierarchy, FAST, hierarchy, line, run } from '../scenarios/parentFleet.ts';

const shared = shareStack(FAST);
afterAll(() => shared.stop());

describe('a file that names parents', () => {
  it('gives the registry its hierarchy, and so does an export of that hub in another one', () => expectHierarchy(30));
});

describe('parents that cannot be set, or are set anew', () => {
  it('are told line by line, and fixed with what can be dropped again', async () => {
    await shared.use(async (stack) => {
      const create = { importMode: 'create' };
      const deep = Array.from({ length: 7 }, (_, index) =>
        edge(`e${index}`, index === 0 ? undefined : `e${index - 1}`),
      );
      const record = await run(stack, 'bad', [
        ...deep.reverse(),
        edge('a', 'b'),
        edge('b', 'a'),
        { id: 'orphan', parent: 'later', ...create, tags: { a: 1 } },
        { id: 'below-leaf', parent: 'orphan', ...create },
        { id: 'good', parent: 'e0', ...create },
      ]);
      expect(record).toMatchObject({ state: 'completedWithFailures', outcomes: { succeeded: 7, failed: 5 } });
      const failed = (await stack.rows(record)).filter(({ outcome }) => outcome === 'failed');
      expect(Object.fromEntries(failed.map(({ deviceId, code }) => [deviceId, code]))).toEqual({
        e6: 'ParentTooDeep',
        a: 'ParentCycle',
        b: 'ParentCycle',
        orphan: 'ParentNotFound',
        'below-leaf': 'ParentNotEdge',
      });
      for (const { reason } of failed)
        expect(reason).toMatch(/^The device is as the line asks, except for its parent: /);
      expect(await hierarchy(stack)).toMatchObject({ e5: 'e4', e6: undefined, good: 'e0', orphan: undefined });

      const again = await stack.read('provision-results', record.report?.failedDevices ?? '');
      const orphan = again.split('\n').find((text) => text.includes('"orphan"')) ?? '';
      expect(JSON.parse(orphan)).toMatchObject({ id: 'orphan', importMode: 'update', parent: 'later' });
      const keyOf = async (id: string) =>
        ((await stack.rest('GET', `/devices/${id}`)).body as Device).authentication.symmetricKey.primaryKey;
      const key = await keyOf('orphan');
      await stack.drop('fixed/devices.txt', `${orphan}\n${line(edge('later', 'e1'))}`);
      expect(await stack.finalRecord('fixed/devices.txt')).toMatchObject({ state: 'completed' });
      expect(await hierarchy(stack)).toMatchObject({ orphan: 'later', later: 'e1' });
      expect(await keyOf('orphan')).toBe(key);
    });
  });

  it('move and detach devices, by lines and rows, but none that the run could not create', async () => {
    await shared.use(async (stack) => {
      await run(stack, 'first', [
        edge('top'),
        edge('other'),
        edge('middle', 'top'),
        { id: 'leaf', parent: 'middle' },
        { id: 'stays', parent: 'middle' },
        { id: 'free', parent: 'top' },
      ]);
      const taken = { id: 'stays', importMode: 'create', parent: 'other' };
      const moved = await run(stack, 'moved', [
        edge('middle', 'other'),
        { id: 'leaf', parent: 'other', statusReason: 'moved' },
        { id: 'free', parent: null },
        taken,
      ]);
      expect(moved).toMatchObject({ outcomes: { succeeded: 3, failed: 1 } });
      expect(await hierarchy(stack)).toMatchObject({
        middle: 'other',
        leaf: 'other',
        stays: 'middle',
        free: undefined,
        top: undefined,
      });

      const rows = 'id,capabilities.iotEdge,parent\nmiddle,true,null\nfree,,middle\nleaf,,\n';
      await stack.drop('rows/devices.csv', rows);
      expect(await stack.finalRecord('rows/devices.csv')).toMatchObject({ state: 'completed' });
      expect(await hierarchy(stack)).toMatchObject({ middle: undefined, free: 'middle', leaf: 'other' });
    });
  });
});
