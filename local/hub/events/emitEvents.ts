import type { HubSettings } from '../hubOptions.ts';
import type { IdentityRow } from '../registry/identityRow.ts';
import type { IdentityStore, WriteHow } from '../registry/identityStore.ts';
import { changedTwinBody } from './eventBodies.ts';
import type { EventKind } from './eventKinds.ts';
import type { EventLog } from './eventLog.ts';
import { packTwin } from './packedTwin.ts';
import { twinChange } from './twinChange.ts';

type Routes = Pick<HubSettings, 'lifecycleEvents' | 'twinEvents' | 'jobEvents'>;

/**
 * Writes an event for each change of the registry that a route asks for, in the transaction of the change. Changes of keys,
 * status, scope or `managedBy` are in no event: the documentation lists none (iot-hub-non-telemetry-event-schema.md).
 */
export function emitEvents(store: IdentityStore, log: EventLog, routes: Routes): void {
  const append = (kind: EventKind, { deviceId, moduleId }: IdentityRow, payload: string) =>
    log.append({ kind, deviceId, moduleId, payload });

  store.onWrite((before, after, origin, how) => {
    // Whether import jobs emit events is not documented.
    if (origin === 'job' && !routes.jobEvents) return;
    if (before === undefined && after !== undefined) {
      if (routes.lifecycleEvents) append('create', after, packTwin(after));
    } else if (before !== undefined && after === undefined) {
      if (routes.lifecycleEvents && isTold(how)) append('delete', before, packTwin(before));
    } else if (before !== undefined && after !== undefined && before.twinVersion !== after.twinVersion) {
      if (!routes.twinEvents) return;
      if (how?.kind === 'twinReplaced') append('replaceTwin', after, packTwin(after));
      else append('updateTwin', after, changedTwinBody(after, patchOf(before, after, how)));
    }
  });
}

/**
 * Whether a hub tells of the modules that go with their device is not documented. Here it does not: whoever mirrors a
 * registry has to drop them with the device, and is right in both cases.
 */
function isTold(how: WriteHow | undefined): boolean {
  return how?.kind !== 'withDevice';
}

/** What configurations and deployments write is known by its result only. */
function patchOf(before: IdentityRow, after: IdentityRow, how: WriteHow | undefined) {
  return how?.kind === 'twinPatched' ? how.patch : twinChange(before, after);
}
