import { expect, it } from 'vitest';

import { configuredBy, overlaps } from '../../../src/lib/undo/configured.ts';
import { undoOf } from '../../../src/lib/undo/undoOf.ts';

const isConfigured = configuredBy([
  { content: { deviceContent: { 'properties.desired.a.b': { every: 2 }, 'properties.desired.plain': 1 } } },
  { content: { moduleContent: { 'properties.desired.m': true } } },
  {
    content: {
      modulesContent: { $edgeAgent: { 'properties.desired': { a: 1 } }, fw: { 'properties.desired.level': 3 } },
    },
  },
  { content: {} },
]);

const line = (desired: object, more: object = {}) =>
  JSON.stringify({ id: 'd', status: 'enabled', ...more, properties: { desired } });

it.each([
  ['taken away', 'properties.desired.a.b', line({}), true],
  ['taken away, with what was around it', 'properties.desired.a', line({}), true],
  ['set', 'properties.desired.plain', line({ plain: 1 }), true],
  ['set, in a part of it', 'properties.desired.a.b.every', line({ a: { b: { every: 2 } } }), true],
  ['set otherwise by somebody', 'properties.desired.plain', line({ plain: 2 }), false],
  ['of modules, on a device', 'properties.desired.m', line({ m: true }), false],
  ['of modules, on a module', 'properties.desired.m', line({ m: true }, { moduleId: 'x' }), true],
  ['of devices, on a module', 'properties.desired.plain', line({ plain: 1 }, { moduleId: 'x' }), false],
  ['of a deployment, on its module', 'properties.desired.level', line({ level: 3 }, { moduleId: 'fw' }), true],
  ['of a deployment, on another module', 'properties.desired.level', line({}, { moduleId: 'x' }), false],
  ['of a deployment, on a device', 'properties.desired.theirs', line({ theirs: 1 }), false],
  ['a neighbour', 'properties.desired.plainly', line({}), false],
  ['no desired property', 'tags.plain', line({}), false],
])('what a configuration has %s is its doing, or not: %s', (_what, field, live, expected) => {
  expect(isConfigured(field, live)).toBe(expected);
});

it('paths overlap where one is in the other', () => {
  expect([overlaps('a.b', 'a'), overlaps('a', 'a.b'), overlaps('a', 'a'), overlaps('ab', 'a')]).toEqual([
    true,
    true,
    true,
    false,
  ]);
});

it('what configurations have made of an identity since the run is nobody else’s', () => {
  const before = line({ plain: 1 }, { tags: { site: 'faro' } });
  const update = { mode: 'update', text: '{"id":"d","tags":{"wrong":1}}', applied: 'yes' } as const;
  const live = line({}, { tags: { wrong: 1 } });
  expect(undoOf({ before, line: update, live, isConfigured })).toMatchObject({
    do: 'restore',
    fields: expect.arrayContaining(['tags.site', 'tags.wrong']),
  });
  expect(undoOf({ before, line: update, live })).toEqual({ do: 'foreign', fields: ['properties.desired.plain'] });
  const create = { mode: 'create', text: '{"id":"d"}', applied: 'yes' } as const;
  expect(undoOf({ before: undefined, line: create, live: line({ plain: 1 }), isConfigured })).toMatchObject({
    do: 'remove',
  });
  // Put back already, and set by the hub since.
  const back = line({}, { tags: { site: 'faro' } });
  expect(undoOf({ before, line: update, live: back, isConfigured })).toEqual({ do: 'nothing' });
});
