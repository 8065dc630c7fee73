import { describe, expect, it } from 'vitest';

import { NOW, type TestStack, withStack } from '../helpers/stack.ts';

/** Edge devices in each of three levels, and leaves below them. */
const WIDTH = Number(process.env.PARENTS_EDGE_DEVICES ?? 30);
const LEAVES = Number(process.env.PARENTS_LEAVES ?? 3 * WIDTH);
const FAST = { settings: { HUB_TIER: 'S3', HUB_UNITS: '4' } };

const line = (value: object) => `${JSON.stringify(value)}\n`;
const edge = (id: string, parent?: string | null) => ({
  id,
  capabilities: { iotEdge: true },
  ...(parent === undefined ? {} : { parent }),
});

/** Whose child each device is, as the registry has it. */
async function hierarchy(stack: TestStack): Promise<Record<string, string | undefined>> {
  const twins = (await stack.twins()) as { deviceId: string; deviceScope?: string; parentScopes?: string[] }[];
  const owners = new Map<string, string>();
  const devices = await Promise.all(
    twins.map(async ({ deviceId }) => (await stack.rest('GET', `/devices/${deviceId}`)).body as Device),
  );
  for (const { deviceId, capabilities, deviceScope } of devices) {
    if (capabilities.iotEdge && deviceScope !== undefined) owners.set(deviceScope, deviceId);
  }
  return Object.fromEntries(
    devices.map(({ deviceId, parentScopes }) => {
      const [scope] = parentScopes ?? [];
      return [deviceId, scope === undefined ? undefined : (owners.get(scope) ?? 'nobody')];
    }),
  );
}

interface Device {
  readonly deviceId: string;
  readonly capabilities: { readonly iotEdge: boolean };
  readonly deviceScope?: string;
  readonly parentScopes?: string[];
  readonly authentication: { readonly symmetricKey: { readonly primaryKey: string } };
}

/** Three levels of edge devices and their leaves, and who is below whom. */
function fleet(): { readonly lines: object[]; readonly parents: Record<string, string | undefined> } {
  const parents: Record<string, string | undefined> = {};
  const lines: object[] = [];
  for (let level = 0; level < 3; level += 1) {
    for (let index = 0; index < WIDTH; index += 1) {
      const id = `edge-${level}-${index}`;
      const parent = level === 0 ? undefined : `edge-${level - 1}-${(index * 7) % WIDTH}`;
      parents[id] = parent;
      lines.push(edge(id, parent));
    }
  }
  for (let index = 0; index < LEAVES; index += 1) {
    const id = `leaf-${index}`;
    parents[id] = `edge-${index % 3}-${(index * 11) % WIDTH}`;
    lines.push({ id, parent: parents[id], tags: { index } });
  }
  // Children before their parents as often as after them.
  const place = (index: number) => (index * 7919) % lines.length;
  const shuffled = lines.map((_, index) => index).sort((a, b) => place(a) - place(b) || a - b);
  return { lines: shuffled.map((index) => lines[index] ?? {}), parents };
}

async function run(stack: TestStack, name: string, lines: readonly object[], metadata: Record<string, string> = {}) {
  await stack.drop(`${name}/devices.txt`, lines.map(line).join(''), { ...NOW, ...metadata });
  return stack.finalRecord(`${name}/devices.txt`, 180_000);
}

/** The registry as its hub exports it, read back by requests of the test's own. */
async function exported(stack: TestStack): Promise<object[]> {
  const ids = await stack.deviceIds();
  return Promise.all(
    ids.map(async (id) => {
      const { deviceId, ...rest } = (await stack.rest('GET', `/devices/${id}`)).body as Device;
      const { etag, generationId, connectionState, statusUpdatedTime, ...identity } = rest as Record<string, unknown>;
      const kept = Object.entries(identity).filter(([key]) => !/Time$|Count$/.test(key));
      return { id: deviceId, eTag: etag, ...Object.fromEntries(kept) };
    }),
  );
}

describe('a file that names parents', () => {
  it('gives the registry its hierarchy, and so does an export of that hub in another one', async () => {
    const { lines, parents } = fleet();
    let lineage: object[] = [];
    await withStack(FAST, async (stack) => {
      const record = await run(stack, 'all', lines);
      expect(record).toMatchObject({ state: 'completed', outcomes: { succeeded: lines.length } });
      expect(await hierarchy(stack)).toEqual(parents);
      lineage = await exported(stack);

      // Without a word of parents, all keep theirs.
      const again = await run(
        stack,
        'again',
        lines.map((device) => ({ id: (device as { id: string }).id, statusReason: 'seen' })),
      );
      expect(again).toMatchObject({ state: 'completed' });
      expect(await hierarchy(stack)).toEqual(parents);
    });
    await withStack(FAST, async (stack) => {
      const record = await run(stack, 'moved', lineage);
      expect(record).toMatchObject({ state: 'completed', outcomes: { succeeded: lines.length } });
      expect(await hierarchy(stack)).toEqual(parents);
    });
  });
});

describe.concurrent('parents that cannot be set, or are set anew', () => {
  it('are told line by line, and mended with what can be dropped again', async () => {
    await withStack(FAST, async (stack) => {
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
      for (const { reason } of failed) expect(reason).toMatch(/^The device is as the line says, but for its parent: /);
      expect(await hierarchy(stack)).toMatchObject({ e5: 'e4', e6: undefined, good: 'e0', orphan: undefined });

      const again = await stack.read('provision-results', record.report?.failedDevices ?? '');
      const orphan = again.split('\n').find((text) => text.includes('"orphan"')) ?? '';
      expect(JSON.parse(orphan)).toMatchObject({ id: 'orphan', importMode: 'update', parent: 'later' });
      const keyOf = async (id: string) =>
        ((await stack.rest('GET', `/devices/${id}`)).body as Device).authentication.symmetricKey.primaryKey;
      const key = await keyOf('orphan');
      await stack.drop('mended/devices.txt', `${orphan}\n${line(edge('later', 'e1'))}`);
      expect(await stack.finalRecord('mended/devices.txt')).toMatchObject({ state: 'completed' });
      expect(await hierarchy(stack)).toMatchObject({ orphan: 'later', later: 'e1' });
      expect(await keyOf('orphan')).toBe(key);
    });
  });

  it('move and detach devices, by lines and rows, but none that the run could not create', async () => {
    await withStack(FAST, async (stack) => {
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
