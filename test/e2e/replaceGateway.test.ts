import { afterAll, describe, expect, it } from 'vitest';
import { shareStack, type TestStack } from '../helpers/stack.ts';
import { edge, FAST, hierarchy, run } from '../scenarios/parentFleet.ts';

const shared = shareStack(FAST);
afterAll(() => shared.stop());

const children = [{ id: 'x', parent: 'e1' }, edge('y', 'e1')];
const moves = [
  { id: 'x', importMode: 'update', tags: { moved: true }, parent: 'e2' },
  { id: 'y', importMode: 'update', tags: { moved: true }, parent: 'e2' },
];

async function expectMoved(stack: TestStack, name: string, lines: readonly object[]): Promise<void> {
  const record = await run(stack, name, lines);
  expect(record).toMatchObject({ state: 'completed', outcomes: { succeeded: lines.length } });
  expect(await hierarchy(stack)).toMatchObject({ x: 'e2', y: 'e2', e2: undefined });
  for (const id of ['x', 'y']) {
    expect((await stack.rest('GET', `/twins/${id}`)).body).toMatchObject({ tags: { moved: true } });
  }
}

describe('the children of a gateway that is replaced', () => {
  it('move below another one by the file that deletes it', async () => {
    await shared.use(async (stack) => {
      await run(stack, 'before', [edge('e1'), edge('e2'), ...children]);
      await expectMoved(stack, 'moved', [{ id: 'e1', importMode: 'delete' }, ...moves]);
    });
  });

  it('move, too, when it was deleted before, or made anew; and who says nothing of a parent has none any more', async () => {
    await shared.use(async (stack) => {
      await run(stack, 'before', [edge('e1'), edge('e2'), ...children, { id: 'z', parent: 'e1' }]);
      await run(stack, 'delete', [{ id: 'e1', importMode: 'delete' }]);
      await run(stack, 'anew', [edge('e1')]);
      await expectMoved(stack, 'moved', [...moves, { id: 'z', importMode: 'update', tags: { seen: true } }]);
      expect(await hierarchy(stack)).toMatchObject({ z: undefined });
    });
  });

  it('move, too, when it only stops being an edge device', async () => {
    await shared.use(async (stack) => {
      await run(stack, 'before', [edge('e1'), edge('e2'), ...children]);
      const leaf = { id: 'e1', importMode: 'update', capabilities: { iotEdge: false } };
      await expectMoved(stack, 'moved', [leaf, ...moves]);
    });
  });
});
