import { expect, test } from 'vitest';

import { commandText } from '../../../cli/render/commandText.ts';
import { renderMirror, renderReplayed } from '../../../cli/render/mirrorText.ts';
import type { MirrorStatus } from '../../../src/lib/mirror/status/mirrorStatus.ts';
import { tornLines } from '../onTerminal.ts';

const look = { now: new Date('2026-11-26T12:00:00.000Z'), paint: (_style: unknown, text: string) => text };

const partition = {
  expired: 0,
  sequence: 41,
  lastSequence: 41,
  enqueuedAt: '2026-11-26T11:59:56.000Z',
  lastEnqueuedAt: '2026-11-26T11:59:56.000Z',
};

const status: MirrorStatus = {
  at: '2026-11-26T12:00:00.000Z',
  sources: [
    {
      source: 'MIRROR_EVENTS',
      namespace: 'ns.servicebus.windows.net',
      eventHub: 'hub-events',
      consumerGroup: 'hubkeeper',
      hub: null,
      events: 1_203,
      seconds: 95,
      partitions: [
        { ...partition, partition: '0', events: 0, seconds: 0 },
        { ...partition, partition: '1', events: 1_203, seconds: null, enqueuedAt: null },
      ],
    },
  ],
  events: {
    applied: { createDeviceIdentity: 34, updateTwin: 1_200 },
    ignored: {},
    foreign: { 'hub-\u001b[2J': 2 },
    parked: 40,
    dead: 1,
    skipped: 1_000,
    firstLifecycleAt: '2026-11-20T12:00:00.000Z',
    lastLifecycleAt: '2026-11-26T11:00:00.000Z',
  },
  hubs: [
    {
      hub: 'default',
      devices: 1_000_012,
      modules: 31,
      countedAt: '2026-11-26T11:59:30.000Z',
      pendingRefreshes: 4,
      pendingRefreshesMore: false,
      reconcile: {
        ...{
          missing: 3,
          extra: 1,
          different: 8,
          repaired: 12,
          leftAlone: 0,
          identities: 9,
          dryRun: false,
          from: 'export',
        },
        ...{ runId: '0123456789abcdef0123', at: '2026-11-26T10:00:00.000Z', begunAt: '2026-11-26T09:50:00.000Z' },
      },
      nextReconcile: null,
    },
    {
      hub: 'east',
      devices: null,
      modules: null,
      countedAt: null,
      pendingRefreshes: 20_000,
      pendingRefreshesMore: true,
      reconcile: null,
      nextReconcile: null,
    },
  ],
  parked: { count: 2, more: false, oldestAt: '2026-11-26T11:40:00.000Z' },
  deadLetters: { count: 1, more: false, oldestAt: '2026-11-26T11:58:00.000Z', reasons: { notJson: 1 } },
  notes: [
    {
      code: 'batchesParked',
      unhealthy: true,
      message: '2 batches of events are parked.',
      action: 'Look at the storage account.',
    },
    {
      code: 'deadLetters',
      unhealthy: false,
      message: '1 events could not be used.',
      action: 'Type: hubkeeper mirror replay.',
    },
  ],
};

test('how the mirror stands', () => {
  expect(renderMirror(status, { ...look, columns: 160 })).toEqual([
    'MIRROR_EVENTS: Event Hub hub-events of ns.servicebus.windows.net, consumer group hubkeeper',
    '',
    'PARTITION  WAITING  BEHIND  LAST READ   NEWEST',
    '0                0     0 s    4 s ago  4 s ago',
    '1            1,203       ?          -  4 s ago',
    '',
    'HUB        DEVICES  MODULES   TO REFRESH  RECONCILED  DRIFT',
    'default  1,000,012       31            4     2 h ago  12 found, 12 repaired',
    'east             ?        ?  over 20,000       never  -',
    '',
    '  applied        1,234 (updateTwin 1,200, createDeviceIdentity 34)',
    '  ignored        none',
    '  of other hubs  2 (hub-\\u001b[2J 2)',
    '  parked         2 batches, the oldest 20 min ago (40 events so far)',
    '  dead letters   1 event, the oldest 2 min ago (notJson 1)',
    '  never taken in 1,000',
    '  last event     lifecycle 1 h ago',
    '  rows counted   30 s ago',
    '',
    '  2 batches of events are parked. Look at the storage account.',
    '',
    `  1 events could not be used. Type: ${commandText('mirror', 'replay')}.`,
  ]);
});

test.each([160, 80])('at %i columns nothing is torn', (columns) => {
  expect(tornLines(renderMirror(status, { ...look, columns }).join('\n'), columns)).toEqual([]);
});

test('what became of dead letters', () => {
  expect(renderReplayed({ applied: 0, dead: 0, left: false }, 80)).toEqual(['There are no dead letters.']);
  expect(renderReplayed({ applied: 1, dead: 2, left: false }, 80)).toEqual([
    '1 event applied, 2 still cannot be used.',
  ]);
  expect(renderReplayed({ applied: 0, dead: 2, left: true }, undefined)).toEqual([
    '0 events applied, 2 still cannot be used. Not all were tried, for the store does not answer. Run it again later.',
  ]);
});
