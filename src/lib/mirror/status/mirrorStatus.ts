/** `GET /api/mirror`, `mirror status`, and the part of the mirror in `GET /api/health`. */

import { countText } from '../../countText.ts';
import { MIRROR_CONTAINER } from '../../storage/storage.ts';
import { isNotFound } from '../../storage/storageErrors.ts';
import { type MirrorSettings, mirroredHubs } from '../mirrorSettings.ts';
import { type HubContext, type HubStatus, hubStatus } from './hubStatus.ts';
import {
  type EventsStatus,
  eventsStatus,
  type SourceContext,
  type SourceStatus,
  sourceStatus,
} from './sourceStatus.ts';
import { type MirrorNote, noteOf } from './statusTexts.ts';

/** Blobs that wait for something. */
export interface Waiting {
  readonly count: number;
  /** Whether there are more: they are not counted further. */
  readonly more: boolean;
  /** When the oldest was written, ISO UTC; null: there is none. */
  readonly oldestAt: string | null;
}

export interface MirrorStatus {
  /** ISO UTC. */
  readonly at: string;
  readonly sources: readonly SourceStatus[];
  readonly events: EventsStatus;
  readonly hubs: readonly HubStatus[];
  /** Batches of events that the store did not take. */
  readonly parked: Waiting;
  /** Events that could not be used, and how many for which reason, by its code. */
  readonly deadLetters: Waiting & { readonly reasons: Readonly<Record<string, number>> };
  /** What there is to say; those that are `unhealthy` first. */
  readonly notes: readonly MirrorNote[];
}

export interface StatusContext extends SourceContext, Omit<HubContext, 'schedule' | 'storage'> {
  readonly mirror: MirrorSettings;
  /** Aliases. */
  readonly hubs: readonly string[];
}

const PARKED_MINUTES = 15;
const MOST_BLOBS = 10_000;

/** @param mayCount whether rows are counted anew where their count is old */
export async function mirrorStatus(context: StatusContext, mayCount: boolean): Promise<MirrorStatus> {
  const { mirror, now } = context;
  const ofHubs = { ...context, schedule: mirror.reconcileSchedule };
  const reasons: Record<string, number> = {};
  const [sources, hubs, parked, dead] = await Promise.all([
    Promise.all(mirror.sources.map((source) => sourceStatus(context, source))),
    Promise.all(mirroredHubs(context.mirror, context.hubs).map((hub) => hubStatus(ofHubs, hub, mayCount))),
    blobsBelow(context, 'parked/'),
    blobsBelow(context, 'dead-letters/', (name) => {
      const code = /-([a-z]+)\.json$/i.exec(name)?.[1] ?? 'unknown';
      reasons[code] = (reasons[code] ?? 0) + 1;
    }),
  ]);
  const events = eventsStatus(sources.flatMap(({ positions }) => positions));
  const notes = [
    ...sources.flatMap((source) => source.notes),
    ...eventNotes(events),
    ...waitingNotes(parked, dead, now()),
    ...hubs.flatMap((hub) => hub.notes),
  ];
  return {
    at: now().toISOString(),
    sources: sources.map(({ status }) => status),
    events,
    hubs: hubs.map(({ status }) => status),
    parked,
    deadLetters: { ...dead, reasons },
    notes: onlyOnce(notes).toSorted((a, b) => Number(b.unhealthy) - Number(a.unhealthy)),
  };
}

function eventNotes({ applied, foreign, firstLifecycleAt }: EventsStatus): readonly MirrorNote[] {
  if (firstLifecycleAt !== null) return [];
  const names = Object.keys(foreign);
  if (names.length === 0 || Object.keys(applied).length > 0) return [noteOf('noLifecycleEvent')];
  return [noteOf('eventsForeign', { hubs: names.slice(0, 10).join(', ') })];
}

function waitingNotes(parked: Waiting, dead: Waiting, now: Date): readonly MirrorNote[] {
  const isOld = parked.oldestAt !== null && Date.parse(parked.oldestAt) < now.getTime() - PARKED_MINUTES * 60_000;
  return [
    ...(isOld
      ? [noteOf('batchesParked', { batches: counted(parked, 'batch', 'batches'), minutes: PARKED_MINUTES })]
      : []),
    ...(dead.count > 0
      ? [noteOf('deadLetters', { letters: counted(dead, 'letter', 'letters'), container: MIRROR_CONTAINER })]
      : []),
  ];
}

function counted({ count, more }: Waiting, one: string, many: string): string {
  return `${more ? 'more than ' : ''}${countText(count)} ${count === 1 ? one : many}`;
}

/** Each hub says that the store does not answer. */
function onlyOnce(notes: readonly MirrorNote[]): readonly MirrorNote[] {
  return notes.filter(({ message }, at) => notes.findIndex((other) => other.message === message) === at);
}

async function blobsBelow(
  { storage }: StatusContext,
  prefix: string,
  see: (name: string) => void = () => undefined,
): Promise<Waiting> {
  let count = 0;
  let oldest: Date | undefined;
  try {
    for await (const { name, properties } of storage.container(MIRROR_CONTAINER).listBlobsFlat({ prefix })) {
      if (count === MOST_BLOBS) return { count, more: true, oldestAt: oldest?.toISOString() ?? null };
      count += 1;
      see(name);
      const at = properties.createdOn ?? properties.lastModified;
      if (oldest === undefined || at < oldest) oldest = at;
    }
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return { count, more: false, oldestAt: oldest?.toISOString() ?? null };
}
