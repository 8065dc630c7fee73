/** What the status of the mirror has to say beside its numbers; what stands in `UNHEALTHY` makes the app unhealthy. */

import { type CodeText, type Filling, type Said, speakerOf } from '../../codeText.ts';

export const MIRROR_STATUS_TEXTS = {
  eventsUnreachable: {
    says: 'The Event Hub {hub} of {source} cannot be asked how far it is: {why}.',
    action: 'Check the connection and its rights (Azure Event Hubs Data Receiver), and the network.',
    doc: { says: 'An Event Hub cannot be asked how far it is; the message says why.' },
  },
  eventsWaiting: {
    says: 'Events of {source} have been waiting for more than {minutes} minutes: partitions {partitions}.',
    action: 'Look at the log of the app: whether mirrorOnEventHub runs, and why it fails.',
    doc: { says: 'Events have been waiting for more than 15 minutes.' },
  },
  eventsExpired: {
    says: 'The Event Hub of {source} has dropped {events} before they were read.',
    action: 'A reconcile begins with the next event that is read. Let the Event Hub keep its events for longer.',
    doc: { says: 'An Event Hub has dropped events before they were read.' },
  },
  noLifecycleEvent: {
    says: 'No lifecycle event has ever been seen: is the route there?',
    action:
      'Route DeviceLifecycleEvents and twin change events of the hub to this Event Hub (docs/mirror.md), then make or delete a device.',
  },
  eventsForeign: {
    says: 'Only events of hubs that are not mirrored arrive: {hubs}.',
    action: 'Compare the host name in IOTHUB with these names.',
    doc: { says: 'Only events of hubs that are not mirrored arrive.' },
  },
  batchesParked: {
    says: 'Parked for the store, which did not take them: {batches} of events, the oldest for more than {minutes} minutes.',
    doc: { says: 'Batches of events have been parked for more than 15 minutes: the store does not take them.' },
    action: 'They are applied once the store answers. Look at the storage account and at the log of the app.',
  },
  deadLetters: {
    says: 'Events that could not be used lie in {container}/dead-letters: {letters}.',
    action:
      'Look at their reasons; hubkeeper mirror replay tries them again. The next reconcile puts right what they were about.',
  },
  refreshesStuck: {
    says: 'Rows of the hub {hub} should have been read from the registry more than {minutes} minutes ago.',
    action: 'Look at the log of the app: whether mirrorOnTimer runs, and whether the hub answers.',
    doc: { says: 'Rows should have been read from the registry more than an hour ago.' },
  },
  reconcileWanted: {
    says: 'A reconcile of the hub {hub} is about to begin: {why}',
    doc: { says: 'A reconcile is about to begin; the message says why.' },
  },
  reconcileNever: {
    says: 'The hub {hub} was never reconciled: devices that were there before the mirror are not in it.',
    action: 'Begin one: hubkeeper mirror reconcile --hub {hub}.',
  },
  reconcileOverdue: {
    says: 'The mirror of the hub {hub} was to be reconciled twice, and was not.',
    action: 'Look at hubkeeper runs and at the log of the app.',
  },
  storeSilent: {
    says: 'The store of the mirror does not answer, or throttles.',
    action: 'Look at the storage account: events are parked until it answers.',
  },
} as const satisfies Record<string, CodeText>;

type Key = keyof typeof MIRROR_STATUS_TEXTS;

/** The rest is told, and wakes nobody. */
export const UNHEALTHY: readonly string[] = [
  'eventsUnreachable',
  'eventsWaiting',
  'batchesParked',
  'refreshesStuck',
  'reconcileOverdue',
  'storeSilent',
] satisfies readonly Key[];

export interface MirrorNote extends Said<Key> {
  /** Whether `GET /api/health` is unhealthy for it. */
  readonly unhealthy: boolean;
}

const say = speakerOf(MIRROR_STATUS_TEXTS);

export function noteOf<Name extends Key>(
  key: Name,
  ...filling: Filling<(typeof MIRROR_STATUS_TEXTS)[Name]>
): MirrorNote {
  return { ...(say(key, ...filling) as Said<Key>), unhealthy: UNHEALTHY.includes(key) };
}
