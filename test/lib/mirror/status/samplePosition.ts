import type { PartitionPosition } from '../../../../src/lib/mirror/notes/position.ts';

/** A position of the partition 0 of an Event Hub whose namespace is `ns`. */
export function positionOf(more: Partial<PartitionPosition> = {}): PartitionPosition {
  return {
    source: 'MIRROR_EVENTS',
    partition: '0',
    namespace: 'ns',
    eventHub: 'hub-events',
    sequence: 9,
    offset: '900',
    enqueuedAt: '2026-11-26T11:58:00.000Z',
    at: '2026-11-26T11:58:01.000Z',
    counts: { applied: {}, ignored: {}, foreign: {}, parked: 0, dead: 0, skipped: 0 },
    ...more,
  };
}
