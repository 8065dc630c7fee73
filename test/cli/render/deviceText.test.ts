import { expect, test } from 'vitest';

import { renderDevice } from '../../../cli/render/deviceText.ts';
import type { DeviceView, IdentityView } from '../../../src/lib/mirror/query/deviceView.ts';
import { tornLines } from '../onTerminal.ts';

const AT = '2026-11-26T11:56:00.000Z';
const look = {
  now: new Date('2026-11-26T12:00:00.000Z'),
  paint: (_style: unknown, text: string) => text,
  command: (...args: readonly string[]) => `hubkeeper ${args.join(' ')}`,
};

const identity: IdentityView = {
  hub: 'default',
  deviceId: 'pump#1',
  state: 'present',
  status: 'disabled',
  statusReason: 'sent in for repair',
  edge: true,
  parent: 'edge-1',
  authenticationType: 'sas',
  tags: { site: 'faro' },
  properties: { desired: { interval: 30 }, reported: { note: 'a\u009bb' } },
  version: 7,
  bornAt: AT,
  deletedAt: null,
  updatedAt: AT,
  checkedAt: null,
  refreshWantedSince: AT,
  changes: [
    { at: AT, by: 'event', what: ['tags.site', 'tags.floor'] },
    { at: AT, by: 'reconcile', what: ['status'] },
  ],
  lastRun: '8f7423198f62d8f1e168',
};

const untimed = (lines: readonly string[]) =>
  lines.map((line) => line.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC[\d:+-]*/g, 'TIME'));

test('all about a device', () => {
  const module: IdentityView = {
    ...identity,
    moduleId: 'filter',
    status: null,
    statusReason: null,
    edge: null,
    parent: null,
    tags: {},
    properties: { desired: {}, reported: {} },
    checkedAt: AT,
    refreshWantedSince: null,
    lastRun: null,
  };
  const device: DeviceView = { ...identity, modules: [module] };
  expect(untimed(renderDevice(device, { ...look, columns: 160 }))).toEqual([
    'pump#1 of the hub default',
    '  status    disabled: sent in for repair',
    '  edge      yes',
    '  parent    edge-1',
    '  signs in  sas',
    '  twin      version 7',
    '  changed   TIME, 4 min ago',
    '  checked   never against the registry',
    '  refresh   wanted since TIME, 4 min ago',
    '  last run  8f742319: hubkeeper run 8f742319',
    '',
    '  tags',
    '    "site": "faro"',
    '',
    '  desired properties',
    '    "interval": 30',
    '',
    '  reported properties',
    '    "note": "a\\u009bb"',
    '',
    'module filter',
    '  signs in  sas',
    '  twin      version 7',
    '  changed   TIME, 4 min ago',
    '  checked   against the registry, TIME, 4 min ago',
    '',
    '  last 2 changes',
    '    TIME  tags.site, tags.floor (by an event)',
    '    TIME  status (by a reconcile)',
  ]);
  expect(tornLines(renderDevice(device, { ...look, columns: 80 }).join('\n'), 80)).toEqual([]);
});

test('a device that was deleted says since when, and no status', () => {
  const { tags: _tags, ...rest } = identity;
  const gone: DeviceView = {
    ...rest,
    tags: {},
    properties: { desired: {}, reported: {} },
    state: 'deleted',
    status: null,
    deletedAt: AT,
    edge: null,
    parent: null,
    refreshWantedSince: null,
    changes: [{ at: AT, by: 'event', what: ['deleted'] }],
    lastRun: null,
    modules: [],
  };
  expect(untimed(renderDevice(gone, { ...look, columns: 80 }))).toEqual([
    'pump#1 of the hub default (deleted)',
    '  deleted   since TIME, 4 min ago',
    '  changed   TIME, 4 min ago',
    '  checked   never against the registry',
    '',
    '  last change',
    '    TIME  deleted (by an event)',
  ]);
});
