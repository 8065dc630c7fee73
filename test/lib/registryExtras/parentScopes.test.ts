import { describe, expect, it } from 'vitest';

import type { ExtraLine } from '../../../src/lib/registryExtras/extraLine.ts';
import { lacksParent, parentScopesOf, withParents } from '../../../src/lib/registryExtras/parentScopes.ts';

async function* from<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

const SCOPE = 'ms-azure-iot-edge://up-63';
const EXTRAS: readonly ExtraLine[] = [
  { kind: 'edge', id: 'down', deviceScope: 'ms-azure-iot-edge://down-64', parentScopes: [SCOPE] },
  { kind: 'edge', id: 'up', deviceScope: SCOPE, parentScopes: [] },
  { kind: 'module', id: 'd', moduleId: 'a', eTag: '1', managedBy: 'iotEdge' },
];

describe('a line that does not tell its parent', () => {
  it.each([
    ['{"id":"down","capabilities":{"iotEdge":true}}', true],
    ['{"id":"down","capabilities":{"iotEdge": true},"deviceScope":"x"}', true],
    ['{"id":"down","capabilities":{"iotEdge":true},"parentScopes":[]}', false],
    ['{"id":"leaf","capabilities":{"iotEdge":false}}', false],
    ['Devices with "iotEdge":true', false],
  ])('%s: %s', (text, lacks) => expect(lacksParent(text)).toBe(lacks));

  it('gets it from the extras, and stays as it is written otherwise', async () => {
    const lines = [
      '{"id":"down","tags":{"n":1.0},"capabilities":{"iotEdge":true}}',
      '{"id":"up","capabilities":{"iotEdge":true}}',
      '{"id":"leaf","capabilities":{"iotEdge":false}}',
    ];
    const found = await Array.fromAsync(withParents(from(lines), await parentScopesOf(EXTRAS)));
    expect(found).toEqual([
      `{"id":"down","tags":{"n":1.0},"capabilities":{"iotEdge":true},"parentScopes":["${SCOPE}"]}`,
      ...lines.slice(1),
    ]);
  });
});
