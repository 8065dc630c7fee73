/** How the mirror stands, as text for people. */

import type { LastReconcile } from '../../src/lib/mirror/notes/lastReconcile.ts';
import type { HubStatus } from '../../src/lib/mirror/status/hubStatus.ts';
import type { MirrorStatus, Waiting } from '../../src/lib/mirror/status/mirrorStatus.ts';
import type { EventsStatus, SourceStatus } from '../../src/lib/mirror/status/sourceStatus.ts';
import { typedCommands } from './commandText.ts';
import { formatCount, formatDuration, formatPlural } from './format.ts';
import { plainText } from './plainText.ts';
import type { Look } from './runText.ts';
import { type Column, renderTable } from './table.ts';
import { behind, wrap, wrapProse } from './wrap.ts';

type MirrorLook = Pick<Look, 'now' | 'paint' | 'columns'>;

export function renderMirror(status: MirrorStatus, look: MirrorLook): readonly string[] {
  return [
    ...status.sources.flatMap((source, at) => [...(at === 0 ? [] : ['']), ...renderSource(source, look)]),
    '',
    ...renderHubs(status.hubs, look),
    '',
    ...renderFacts(status, look),
    ...renderNotes(status, look),
  ];
}

function renderSource({ source, namespace, eventHub, consumerGroup, partitions }: SourceStatus, look: MirrorLook) {
  const head = `${source}: Event Hub ${plainText(eventHub)} of ${plainText(namespace)}, consumer group ${plainText(consumerGroup)}`;
  if (partitions.length === 0) return wrap(head, 0, look.columns);
  const ago = (at: string | null) => (at === null ? '-' : agoText(at, look.now));
  const rows = partitions.map(({ partition, events, seconds, enqueuedAt, lastEnqueuedAt }) => [
    partition,
    formatCount(events),
    seconds === null ? '?' : formatDuration(seconds * 1000),
    ago(enqueuedAt),
    ago(lastEnqueuedAt),
  ]);
  const columns: readonly Column[] = [
    { title: 'PARTITION' },
    { title: 'WAITING', align: 'right' },
    { title: 'BEHIND', align: 'right' },
    { title: 'LAST READ', align: 'right' },
    { title: 'NEWEST', align: 'right' },
  ];
  return [...wrap(head, 0, look.columns), '', ...withHead(renderTable(columns, rows), look)];
}

function renderHubs(hubs: readonly HubStatus[], look: MirrorLook): readonly string[] {
  const rows = hubs.map((hub) => [
    hub.hub,
    hub.devices === null ? '?' : formatCount(hub.devices),
    hub.modules === null ? '?' : formatCount(hub.modules),
    pendingText(hub),
    hub.reconcile === null ? 'never' : agoText(hub.reconcile.at, look.now),
    hub.reconcile === null ? '-' : driftText(hub.reconcile),
  ]);
  const columns: readonly Column[] = [
    { title: 'HUB' },
    { title: 'DEVICES', align: 'right' },
    { title: 'MODULES', align: 'right' },
    { title: 'TO REFRESH', align: 'right' },
    { title: 'RECONCILED', align: 'right' },
    { title: 'DRIFT' },
  ];
  return withHead(renderTable(columns, rows), look);
}

function pendingText({ pendingRefreshes, pendingRefreshesMore }: HubStatus): string {
  if (pendingRefreshes === null) return '?';
  return `${pendingRefreshesMore ? 'over ' : ''}${formatCount(pendingRefreshes)}`;
}

/** `none`, `12 found, 12 repaired`. */
function driftText({ missing, extra, different, repaired, dryRun }: LastReconcile): string {
  const found = missing + extra + different;
  if (found === 0) return 'none';
  return `${formatCount(found)} found, ${dryRun ? 'dry run' : `${formatCount(repaired)} repaired`}`;
}

function renderFacts({ events, parked, deadLetters, hubs }: MirrorStatus, look: MirrorLook): readonly string[] {
  const counted = hubs.flatMap(({ countedAt }) => countedAt ?? []).toSorted()[0];
  const rows: readonly (readonly [string, string])[] = [
    ['applied', kindsText(events.applied)],
    ['ignored', kindsText(events.ignored)],
    ['of other hubs', kindsText(events.foreign)],
    ['parked', `${waitingText(parked, 'batch', 'batches', look.now)}${everText(events.parked)}`],
    ['dead letters', `${waitingText(deadLetters, 'event', 'events', look.now)}${reasonsText(deadLetters.reasons)}`],
    ...(events.skipped > 0 ? [['never taken in', formatCount(events.skipped)] as const] : []),
    ['last event', lastEventText(events, look.now)],
    ...(counted === undefined ? [] : [['rows counted', agoText(counted, look.now)] as const]),
  ];
  return rows.flatMap(([title, text]) => behind(`  ${title.padEnd(15)}`, wrap(text, 17, look.columns)));
}

/** `1,234 (createDeviceIdentity 34, updateTwin 1,200)` */
function kindsText(kinds: Readonly<Record<string, number>>): string {
  const found = Object.entries(kinds).toSorted(([, a], [, b]) => b - a);
  if (found.length === 0) return 'none';
  const sum = found.reduce((total, [, count]) => total + count, 0);
  return `${formatCount(sum)} (${found.map(([kind, count]) => `${plainText(kind)} ${formatCount(count)}`).join(', ')})`;
}

function reasonsText(reasons: Readonly<Record<string, number>>): string {
  const found = Object.entries(reasons).map(([code, count]) => `${plainText(code)} ${formatCount(count)}`);
  return found.length === 0 ? '' : ` (${found.join(', ')})`;
}

function waitingText({ count, more, oldestAt }: Waiting, one: string, many: string, now: Date): string {
  if (count === 0 || oldestAt === null) return 'none';
  return `${more ? 'over ' : ''}${formatPlural(count, one, many)}, the oldest ${agoText(oldestAt, now)}`;
}

/** What was parked, and is applied since then, is in no other count. */
function everText(parked: number): string {
  return parked === 0 ? '' : ` (${formatPlural(parked, 'event')} so far)`;
}

function lastEventText({ lastLifecycleAt }: EventsStatus, now: Date): string {
  return lastLifecycleAt === null ? 'no lifecycle event yet' : `lifecycle ${agoText(lastLifecycleAt, now)}`;
}

/** What became of the dead letters. */
export interface ReplayedLetters {
  readonly applied: number;
  readonly dead: number;
  readonly left: boolean;
}

export function renderReplayed(
  { applied, dead, left }: ReplayedLetters,
  columns: number | undefined,
): readonly string[] {
  if (applied === 0 && dead === 0 && !left) return ['There are no dead letters.'];
  const text = `${formatPlural(applied, 'event')} applied, ${formatCount(dead)} still cannot be used.`;
  const rest = left ? ' Not all were tried, for the store does not answer. Run it again later.' : '';
  return wrap(text + rest, 0, columns);
}

function renderNotes({ notes }: MirrorStatus, { paint, columns }: MirrorLook): readonly string[] {
  return notes.flatMap(({ message, action, unhealthy }) => {
    const text = [message, action].filter(Boolean).join(' ');
    const lines = wrapProse(`  ${typedCommands(plainText(text))}`, columns);
    return ['', ...lines.map((line) => paint(unhealthy ? 'red' : 'yellow', line))];
  });
}

function withHead([head = '', ...lines]: readonly string[], { paint }: MirrorLook): readonly string[] {
  return [paint('dim', head), ...lines];
}

function agoText(at: string, now: Date): string {
  const [value = '', unit = ''] = formatDuration(Math.max(0, now.getTime() - Date.parse(at))).split(' ');
  return `${value} ${unit} ago`;
}
