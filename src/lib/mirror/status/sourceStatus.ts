/** How far the mirror is with the events of each source, and what they were. */

import { countText } from '../../countText.ts';
import { readJson } from '../../storage/jsonBlob.ts';
import { measure } from '../../telemetry/telemetry.ts';
import type { EventSource } from '../mirrorSettings.ts';
import { type Containers, noteBlob, writeNote } from '../notes/note.ts';
import { type PartitionPosition, readPositions } from '../notes/position.ts';
import { lagOf, type PartitionLag } from './lag.ts';
import { namespaceOf, type ReadEnds, type SourceEnds } from './partitionEnds.ts';
import { type MirrorNote, noteOf } from './statusTexts.ts';
import { oldestWaiting, type WaitingBySource, waitingNow } from './waiting.ts';

export interface SourceStatus {
  /** Name of the setting with its connection. */
  readonly source: string;
  readonly namespace: string;
  readonly eventHub: string;
  readonly consumerGroup: string;
  /** Alias of the hub whose events these are; null: of several. */
  readonly hub: string | null;
  /** Events of all partitions that were not taken in yet; null: the namespace does not answer. */
  readonly events: number | null;
  /** The longest lag of all partitions, as there; null: it is not known. */
  readonly seconds: number | null;
  readonly partitions: readonly PartitionLag[];
}

/** What the events were, of all sources. */
export interface EventsStatus {
  readonly applied: Readonly<Record<string, number>>;
  readonly ignored: Readonly<Record<string, number>>;
  readonly foreign: Readonly<Record<string, number>>;
  /** Parked for the store at first: applied since then, or waiting still. */
  readonly parked: number;
  readonly dead: number;
  /** Never taken in: the Event Hub had dropped them, or the Functions host has given them up. */
  readonly skipped: number;
  /** When the first and the last lifecycle event were enqueued, ISO UTC; null: none was ever seen. */
  readonly firstLifecycleAt: string | null;
  readonly lastLifecycleAt: string | null;
}

/** Longer than a batch, its retries and a restart of the app take. */
export const WAITING_MINUTES = 15;

export interface SourceContext {
  readonly storage: Containers;
  readonly readEnds: ReadEnds;
  readonly now: () => Date;
}

export interface SourceFound {
  readonly status: SourceStatus;
  readonly positions: readonly PartitionPosition[];
  readonly notes: readonly MirrorNote[];
}

export async function sourceStatus(context: SourceContext, source: EventSource): Promise<SourceFound> {
  const { storage, now } = context;
  const namespace = namespaceOf(source);
  // Before the ends: a position that is read later may be behind the end that was there.
  const positions = await readPositions(storage, source.connectionName);
  const found = await context.readEnds(source);
  // Those of another Event Hub, as before a failover, say how many events there were, and not how far this one is.
  const ofThis = positions.filter((one) => one.namespace === namespace && one.eventHub === source.eventHub);
  const lags = lagsOf(found, ofThis, now());
  const { connectionName, eventHub, consumerGroup, hub = null } = source;
  const status: SourceStatus = {
    source: connectionName,
    namespace,
    eventHub,
    consumerGroup,
    hub,
    events: 'problem' in found ? null : lags.reduce((sum, { events }) => sum + events, 0),
    seconds: longest(lags),
    partitions: lags,
  };
  const notes =
    'problem' in found
      ? [noteOf('eventsUnreachable', { hub: eventHub, source: connectionName, why: found.problem })]
      : [...expiredNotes(source, lags), ...(await waitingNotes(context, source, lags))];
  return { status, positions, notes };
}

function lagsOf(found: SourceEnds, positions: readonly PartitionPosition[], now: Date): readonly PartitionLag[] {
  if ('problem' in found) return [];
  return found.ends
    .map((end) =>
      lagOf(
        end,
        positions.find(({ partition }) => partition === end.partition),
        now,
      ),
    )
    .toSorted((a, b) => Number(a.partition) - Number(b.partition));
}

function longest(lags: readonly PartitionLag[]): number | null {
  if (lags.length === 0 || lags.some(({ seconds }) => seconds === null)) return null;
  return Math.max(...lags.map(({ seconds }) => seconds ?? 0));
}

function expiredNotes({ connectionName }: EventSource, lags: readonly PartitionLag[]): readonly MirrorNote[] {
  const events = lags.reduce((sum, { expired }) => sum + expired, 0);
  return events === 0
    ? []
    : [
        noteOf('eventsExpired', {
          source: connectionName,
          events: `${countText(events)} event${events === 1 ? '' : 's'}`,
        }),
      ];
}

async function waitingNotes(
  { storage, now }: SourceContext,
  { connectionName }: EventSource,
  lags: readonly PartitionLag[],
): Promise<readonly MirrorNote[]> {
  const name = `waiting/${connectionName}.json`;
  const before = (await readJson<WaitingBySource>(noteBlob(storage, name)))?.value ?? {};
  const waiting = waitingNow(before, lags, now());
  if (JSON.stringify(before) !== JSON.stringify(waiting)) await writeNote(storage, name, waiting);
  tellLags(connectionName, lags, waiting, now());
  const limit = new Date(now().getTime() - WAITING_MINUTES * 60_000).toISOString();
  const oldest = oldestWaiting(waiting);
  if (oldest === undefined || oldest >= limit) return [];
  const partitions = Object.entries(waiting).flatMap(([partition, { since }]) => (since < limit ? [partition] : []));
  const filling = { source: connectionName, minutes: WAITING_MINUTES, partitions: partitions.join(', ') };
  return [noteOf('eventsWaiting', filling)];
}

/** Where nothing was taken in yet: for how long it has been seen that something waits. */
function tellLags(source: string, lags: readonly PartitionLag[], waiting: WaitingBySource, now: Date): void {
  for (const { partition, seconds } of lags) {
    const since = waiting[partition]?.since ?? now.toISOString();
    const lag = seconds ?? (now.getTime() - Date.parse(since)) / 1000;
    measure('hubkeeper.mirror.lag', lag, { partition: `${source}/${partition}` });
  }
}

/** The sum over all partitions of all sources. */
export function eventsStatus(positions: readonly PartitionPosition[]): EventsStatus {
  const sum = (name: 'applied' | 'ignored' | 'foreign'): Record<string, number> => {
    const sums: Record<string, number> = {};
    for (const { counts } of positions) {
      for (const [kind, count] of Object.entries(counts[name])) sums[kind] = (sums[kind] ?? 0) + count;
    }
    return sums;
  };
  const total = (name: 'parked' | 'dead' | 'skipped'): number =>
    positions.reduce((all, { counts }) => all + (counts[name] ?? 0), 0);
  const times = (name: 'firstLifecycleAt' | 'lastLifecycleAt') =>
    positions.flatMap((one) => one[name] ?? []).toSorted();
  return {
    applied: sum('applied'),
    ignored: sum('ignored'),
    foreign: sum('foreign'),
    parked: total('parked'),
    dead: total('dead'),
    skipped: total('skipped'),
    firstLifecycleAt: times('firstLifecycleAt')[0] ?? null,
    lastLifecycleAt: times('lastLifecycleAt').at(-1) ?? null,
  };
}
