import type { RawEvent } from './rawBatch.ts';

/** What an event is about, before its body is looked at. */
export type EventKind =
  | {
      readonly kind: 'created' | 'deleted' | 'updated' | 'replaced' | 'other';
      readonly name: string;
      readonly isLifecycle: boolean;
    }
  | { readonly kind: 'ignored'; readonly name: string };

/** By annotation, in lower case. Modules had a source of their own in the documentation until 2021. */
const LIFECYCLE: readonly string[] = ['devicelifecycleevents', 'modulelifecycleevents'];
const TWIN_CHANGES: readonly string[] = ['twinchangeevents'];

/** By application property, in lower case. */
const SCHEMAS: Readonly<Record<string, string>> = {
  devicelifecyclenotification: 'deviceLifecycleEvents',
  modulelifecyclenotification: 'moduleLifecycleEvents',
  twinchangenotification: 'twinChangeEvents',
};

const LIFECYCLE_KINDS: Readonly<Record<string, 'created' | 'deleted'>> = {
  createdeviceidentity: 'created',
  createmoduleidentity: 'created',
  deletedeviceidentity: 'deleted',
  deletemoduleidentity: 'deleted',
};
const TWIN_KINDS: Readonly<Record<string, 'updated' | 'replaced'>> = {
  updatetwin: 'updated',
  replacetwin: 'replaced',
};

/**
 * The kind of an event, by its source and its operation; names are in the hub's spelling.
 *
 * An operation that is not known, from a source that tells of identities, is `other`: the documentation hints at
 * notifications of module updates and names no operation for them. Whatever it was, the registry tells.
 */
export function eventKind({ annotations, properties }: Pick<RawEvent, 'annotations' | 'properties'>): EventKind {
  const source = sourceOf(annotations['iothub-message-source'], annotations, properties['iothub-message-schema']);
  const operation = textOf(properties['opType']);
  const key = operation.toLowerCase();
  const isLifecycle = LIFECYCLE.includes(source.toLowerCase());
  if (!isLifecycle && !TWIN_CHANGES.includes(source.toLowerCase())) {
    return { kind: 'ignored', name: nameOf(source) };
  }
  const kind = isLifecycle ? LIFECYCLE_KINDS[key] : TWIN_KINDS[key];
  return { kind: kind ?? 'other', name: nameOf(operation), isLifecycle };
}

/**
 * The source as the hub marks it. Where it is not marked, the schema tells it: a property that devices can set, too, in
 * their messages; those have the way in which the device was authenticated.
 */
function sourceOf(marked: unknown, annotations: RawEvent['annotations'], schema: unknown): string {
  const source = textOf(marked);
  if (source !== '' || 'iothub-connection-auth-method' in annotations) return source;
  return SCHEMAS[textOf(schema).toLowerCase()] ?? '';
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : '';
}

/** A name as it is counted under: whoever sends events may write what he likes. */
export function nameOf(text: string): string {
  return /^[\w.-]{1,64}$/.test(text) ? text : 'unknown';
}
