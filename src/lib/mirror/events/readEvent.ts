/** What an event tells the mirror, in whichever form it came. */

import { defined } from '../../defined.ts';
import { isHubId } from '../rows/hubId.ts';
import type { DoubtedEvent, MirrorEvent } from '../rows/mirrorEvent.ts';
import { clockTime, operationTime } from '../rows/operationTime.ts';
import { type IdentityKey, UNKNOWN_VERSION } from '../rows/row.ts';
import { EMPTY_SECTIONS, withoutNulls } from '../rows/twinSections.ts';
import { type DeadReason, deadReason } from './deadLetterTexts.ts';
import { type EventKind, eventKind, nameOf } from './eventKind.ts';
import type { HubOfName } from './hubNames.ts';
import type { RawEvent } from './rawBatch.ts';
import { readBody, type TwinBody } from './twinBody.ts';

/** Where events are from. */
export interface EventOrigin {
  /** Alias of the hub of all events; absent: each tells its own. */
  readonly hub?: string;
  readonly hubOfName: HubOfName;
}

export type ReadEvent =
  | { readonly event: MirrorEvent; readonly name: string; readonly isLifecycle: boolean }
  /** By the name of its kind. */
  | { readonly ignored: string }
  /** By the name of its hub, which is not configured. */
  | { readonly foreign: string }
  /** What it was about, the registry has to tell, if it is known whom it was about. */
  | { readonly dead: DeadReason; readonly doubt?: DoubtedEvent };

type ChangeKind = Exclude<EventKind, { readonly kind: 'ignored' }>;
type Base = Omit<DoubtedEvent, 'kind'>;

/** A clock of a hub is not ahead of the time when its event was enqueued; a time far ahead would be newer than all to come. */
const FAR_AHEAD_MS = 24 * 60 * 60_000;

export function readEvent(raw: RawEvent, { hub: given, hubOfName }: EventOrigin): ReadEvent {
  const kind = eventKind(raw);
  if (kind.kind === 'ignored') return { ignored: kind.name };
  const hubName = hubNameOf(raw);
  const hub = given ?? hubOfName(hubName);
  if (hub === undefined) return { foreign: nameOf(hubName) };
  const key = keyOf(raw);
  if ('dead' in key) return key;
  return readChange(raw, kind, { hub, ...key, at: timeOf(raw), place: raw.place });
}

function readChange({ body }: RawEvent, { kind, name, isLifecycle }: ChangeKind, base: Base): ReadEvent {
  const doubt: DoubtedEvent = { ...base, kind: 'doubted' };
  const read = (event: MirrorEvent): ReadEvent => ({ event, name, isLifecycle });
  // Whatever its body says, it is gone.
  if (kind === 'deleted') return read({ ...base, kind });
  if (kind === 'other') return read(doubt);
  if (body === undefined) return { dead: deadReason('bodyLost'), doubt };
  const twin = readBody(body);
  if ('dead' in twin) return { dead: twin.dead, doubt };
  if (!isOf(base, twin)) return { dead: deadReason('idsDiffer'), doubt };
  const { sections, version } = twin;
  // A creation makes its row wanted in any case; the version comes with what is read then.
  if (version === undefined && kind !== 'created') return { dead: deadReason('noVersion'), doubt };
  if (kind === 'updated') return read({ ...base, kind, version: version ?? UNKNOWN_VERSION, patch: sections });
  const whole = { ...EMPTY_SECTIONS, ...sections };
  const { tags, desired, reported } = whole;
  return read({
    ...base,
    kind,
    twin: {
      tags: withoutNulls(tags),
      desired: withoutNulls(desired),
      reported: withoutNulls(reported),
      version: version ?? UNKNOWN_VERSION,
    },
  });
}

/** The hub of an event: a property, else the user id of the message, which some hosts give as base64. */
function hubNameOf({ properties, annotations }: RawEvent): string {
  const name = properties['hubName'];
  if (typeof name === 'string' && name !== '') return name;
  const userId = annotations['user-id'];
  if (typeof userId !== 'string') return '';
  const decoded = Buffer.from(userId, 'base64').toString('utf8');
  return Buffer.from(decoded).toString('base64') === userId && /^[\w.-]+$/.test(decoded) ? decoded : userId;
}

function keyOf(raw: RawEvent): IdentityKey | { readonly dead: DeadReason } {
  const { annotations, properties } = raw;
  let deviceId = idOf(annotations['iothub-connection-device-id'], properties['deviceId']);
  let moduleId = idOf(annotations['iothub-connection-module-id'], properties['moduleId']);
  if (deviceId === undefined) {
    // Bodies that show a whole twin name it.
    const body = raw.body && readBody(raw.body);
    if (body === undefined || 'dead' in body || typeof body.deviceId !== 'string') {
      return { dead: deadReason('noDeviceId') };
    }
    deviceId = body.deviceId;
    moduleId ??= idOf(body.moduleId);
  }
  if (!isHubId(deviceId) || (moduleId !== undefined && !isHubId(moduleId))) return { dead: deadReason('idInvalid') };
  return { deviceId, ...defined({ moduleId }) };
}

/** The first text among them; a number may have been an id that looks like one, such as 007. */
function idOf(...values: readonly unknown[]): string | undefined {
  const text = values.find((value) => typeof value === 'string' && value !== '');
  const number = values.find((value) => typeof value === 'number');
  return (text as string | undefined) ?? (number === undefined ? undefined : String(number));
}

function isOf(key: IdentityKey, { deviceId, moduleId }: TwinBody): boolean {
  return (
    (typeof deviceId !== 'string' || deviceId === key.deviceId) &&
    (typeof moduleId !== 'string' || moduleId === '' || moduleId === key.moduleId)
  );
}

/**
 * When the operation was done. Documented for all these events; where it is missing or no time, the time at which the event
 * was enqueued stands for it: later by little, and in the order of the partition.
 */
function timeOf({ properties, place }: RawEvent): string {
  const value = properties['operationTimestamp'];
  const text = value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : value;
  const time = typeof text === 'string' ? operationTime(text) : undefined;
  const isAhead = time !== undefined && Date.parse(time) > Date.parse(place.enqueuedAt) + FAR_AHEAD_MS;
  return time === undefined || isAhead ? clockTime(place.enqueuedAt) : time;
}
