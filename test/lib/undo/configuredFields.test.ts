import { expect, it } from 'vitest';

import { configuredFields } from '../../../src/lib/undo/configuredFields.ts';

it('fields that configurations set are named as a comparison names them, of contents of all kinds', () => {
  const fields = configuredFields([
    { content: { deviceContent: { 'properties.desired.zone': 1, 'properties.desired.alarm.high': 2 } } },
    { content: { moduleContent: { 'properties.desired.zone': 1 } } },
    { content: { modulesContent: { $edgeAgent: { 'properties.desired': {} }, m: { 'properties.desired.m': 1 } } } },
  ]);
  expect(fields).toEqual([
    'properties.desired.zone',
    'properties.desired.alarm.high',
    'properties.desired',
    'properties.desired.m',
  ]);
});
