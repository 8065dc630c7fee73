import { expect } from 'vitest';

import { NOW, type TestStack, withStack } from '../helpers/stack.ts';

export const FAST = { settings: { HUB_TIER: 'S3', HUB_UNITS: '4' } };

export const line = (value: object) => `${JSON.stringify(value)}\n`;
export const edge = (id: string, parent?: string | null) => ({
  id,
  capabilities: { iotEdge: true },
  ...(parent === undefined ? {} : { parent }),
});

/** Whose child each device is, as the registry has it. */
export async function hierarchy(stack: TestStack): Promise<Record<string, string | undefined>> {
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

export interface Device {
  readonly deviceId: string;
  readonly capabilities: { readonly iotEdge: boolean };
  readonly deviceScope?: string;
  readonly parentScopes?: string[];
  readonly authentication: { readonly symmetricKey: { readonly primaryKey: string } };
}

/** Three levels of `width` edge devices, as many leaves as these, and who is below whom. */
function fleet(width: number): { readonly lines: object[]; readonly parents: Record<string, string | undefined> } {
  const parents: Record<string, string | undefined> = {};
  const lines: object[] = [];
  for (let level = 0; level < 3; level += 1) {
    for (let index = 0; index < width; index += 1) {
      const id = `edge-${level}-${index}`;
      const parent = level === 0 ? undefined : `edge-${level - 1}-${(index * 7) % width}`;
      parents[id] = parent;
      lines.push(edge(id, parent));
    }
  }
  for (let index = 0; index < 3 * width; index += 1) {
    const id = `leaf-${index}`;
    parents[id] = `edge-${index % 3}-${(index * 11) % width}`;
    lines.push({ id, parent: parents[id], tags: { index } });
  }
  // Children before their parents as often as after them.
  const place = (index: number) => (index * 7919) % lines.length;
  const shuffled = lines.map((_, index) => index).sort((a, b) => place(a) - place(b) || a - b);
  return { lines: shuffled.map((index) => lines[index] ?? {}), parents };
}

export async function run(
  stack: TestStack,
  name: string,
  lines: readonly object[],
  metadata: Record<string, string> = {},
) {
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

/** A file of three levels gives the registry its hierarchy, and so does an export of that hub in another one. */
export async function expectHierarchy(width: number): Promise<void> {
  const { lines, parents } = fleet(width);
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
}
