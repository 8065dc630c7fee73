import { HubError } from '../http/hubError.ts';
import type { Hub } from '../hub.ts';
import type { RegistryContext } from '../identity/identityRules.ts';
import { ConversionError } from '../wire/jsonNet.ts';

/** The context of the identity rules for one call. */
export function registryContext(hub: Hub, caller: 'single' | 'bulk' = 'single'): RegistryContext {
  return { store: hub.store, settings: hub.settings, nowMs: hub.now(), caller };
}

/** Runs a reader of a request body; what does not fit its type is a 400. */
export function readBody<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConversionError) {
      throw new HubError('ArgumentInvalid', `${error.message} Path '${error.path}'.`);
    }
    throw error;
  }
}
