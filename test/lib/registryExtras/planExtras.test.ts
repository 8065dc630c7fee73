import { describe, expect, it } from 'vitest';

import type { ExtraLine } from '../../../src/lib/registryExtras/extraLine.ts';
import { planExtras } from '../../../src/lib/registryExtras/planExtras.ts';

const line = (fields: object) => JSON.stringify(fields);
const module = (id: string, moduleId: string, eTag: string | null = 'AA==') =>
  line({ id, moduleId, eTag, status: 'enabled', authentication: null });
const known = (moduleId: string, eTag: string, managedBy: string | null): ExtraLine => ({
  kind: 'module',
  id: 'd',
  moduleId,
  eTag,
  managedBy,
});
const plan = (lines: readonly string[], previous: readonly ExtraLine[] = [], most?: number) =>
  Array.fromAsync(planExtras(lines, previous, most));

describe('what a hub is asked for the extras of an export', () => {
  it('are the modules that are no system modules, in one call a device, wherever they stand', async () => {
    const lines = [
      'WARNING: this export has no keys, and says "moduleId".',
      line({ id: 'e', status: 'enabled', capabilities: { iotEdge: true } }),
      module('e', '$edgeAgent'),
      module('d', 'a'),
      line({ id: 'd', moduleId: null, status: 'enabled' }),
      module('e', 'Ünïcode "m"'),
      module('d', 'b'),
      '',
    ];
    expect(await plan(lines)).toEqual([
      { kind: 'ask', id: 'd', moduleIds: ['a', 'b'] },
      { kind: 'ask', id: 'e', moduleIds: ['Ünïcode "m"'] },
    ]);
  });

  it.each([
    ['the same ETag', 'AA==', 'AA==', 'iotEdge', true],
    ['the same ETag, which one side quotes', '"AA=="', 'AA==', 'iotEdge', true],
    ['the same ETag, and had none', 'AA==', 'AA==', null, true],
    ['another ETag', 'AB==', 'AA==', 'iotEdge', false],
    ['no ETag', null, '', 'iotEdge', false],
  ])('are not those of which an earlier backup tells: %s', async (_, now, then, managedBy, isKnown) => {
    expect(await plan([module('d', 'm', now)], [known('m', then, managedBy)])).toEqual([
      isKnown ? known('m', 'AA==', managedBy) : { kind: 'ask', id: 'd', moduleIds: ['m'] },
    ]);
  });

  it('and nothing of another device or an edge device is taken for it', async () => {
    const previous: ExtraLine[] = [
      { kind: 'edge', id: 'd', deviceScope: null, parentScopes: [] },
      { kind: 'module', id: 'D', moduleId: 'm', eTag: 'AA==', managedBy: 'x' },
    ];
    expect(await plan([module('d', 'm')], previous)).toEqual([{ kind: 'ask', id: 'd', moduleIds: ['m'] }]);
  });

  it('name each module once, however few may wait for others', async () => {
    const lines = Array.from({ length: 40 }, (_, at) => module(`d${at % 7}`, `m${at}`));
    for (const most of [1, 3, 10, 100]) {
      const asked = (await plan(lines, [], most)).flatMap((row) => (row.kind === 'ask' ? row.moduleIds : []));
      expect(asked.toSorted()).toEqual(Array.from({ length: 40 }, (_, at) => `m${at}`).toSorted());
    }
  });
});
