import { expect, it } from 'vitest';

import type { ExtraLine } from '../../../src/lib/registryExtras/extraLine.ts';
import { managedByOf } from '../../../src/lib/restore/wanted.ts';

async function* from<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

const EXTRAS: readonly ExtraLine[] = [
  { kind: 'edge', id: 'up', deviceScope: 'ms-azure-iot-edge://up-63', parentScopes: [] },
  { kind: 'module', id: 'd', moduleId: 'a', eTag: '1', managedBy: 'iotEdge' },
  { kind: 'module', id: 'd', moduleId: 'b', eTag: '1', managedBy: 'me' },
  { kind: 'module', id: 'd', moduleId: 'c', eTag: '1', managedBy: null },
];

it('who manages a module is found, and not of those that nobody manages', async () => {
  const managedBy = await managedByOf({ extras: () => from(EXTRAS) });
  const of = (moduleId: string) => managedBy({ id: 'd', moduleId });
  expect(['a', 'b', 'c', 'd'].map(of)).toEqual(['iotEdge', 'me', undefined, undefined]);
});
