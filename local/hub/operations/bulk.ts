import { HubError } from '../http/hubError.ts';
import type { Hub } from '../hub.ts';
import { applyLine } from '../identity/applyLine.ts';
import { type RegistryLine, readRegistryLine } from '../wire/registryLine.ts';
import { readBody, registryContext } from './context.ts';
import type { Operation } from './operation.ts';

const MAX_ITEMS = 100;

interface BulkError {
  readonly deviceId: string;
  readonly moduleId?: string;
  readonly errorCode: string | number;
  readonly errorStatus: string;
  readonly operation: string;
}

interface BulkWarning {
  readonly deviceId: string;
  readonly warningCode: 'DeviceRegisteredWithoutTwin';
  readonly warningStatus: string;
}

/**
 * Bulk Registry: up to 100 creations, updates and deletions, each for itself. One failed item makes the reply a 400
 * with the same body; .NET takes that for a result only with the header `IotHubErrorCode`.
 */
export const bulkRegistry: Operation = {
  name: 'bulkRegistry',
  method: 'POST',
  path: '/devices',
  readsTwins: true,
  right: 'RegistryWrite',
  throttle: { kind: 'registry', items: ({ body }) => (Array.isArray(body) ? Math.max(1, body.length) : 1) },
  handle: (hub, { body }) => {
    const lines = readBody(() => readLines(body));
    hub.activity.bulkItems(lines.length);
    const errors: BulkError[] = [];
    const warnings: BulkWarning[] = [];
    hub.store.transaction(() => {
      for (const line of lines) applyItem(hub, line, errors, warnings);
    });
    const result = { isSuccessful: errors.length === 0, errors, warnings };
    if (errors.length === 0) return { status: 200, body: result };
    const failure = 'BulkRegistryOperationFailure';
    return { status: 400, headers: { 'iothub-errorcode': failure, IotHubErrorCode: failure }, body: result };
  },
};

function readLines(body: unknown): RegistryLine[] {
  if (!Array.isArray(body)) {
    throw new HubError('ArgumentInvalid', 'The body must be an array of devices.');
  }
  if (body.length > MAX_ITEMS) {
    throw new HubError('TooManyDevices', `${body.length} devices in one call; at most ${MAX_ITEMS} are allowed.`);
  }
  const lines = body.map((item) => readRegistryLine(item, 'bulk'));
  const seen = new Set<string>();
  for (const { deviceId } of lines) {
    if (seen.has(deviceId)) {
      throw new HubError('DeviceDefinedMultipleTimes', `Device '${deviceId}' is defined more than once in this call.`);
    }
    seen.add(deviceId);
  }
  return lines;
}

/** Only with an identity can a twin be left out. */
function makesIdentity({ importMode }: RegistryLine): boolean {
  return /^(create|update(?!Twin))/.test(importMode);
}

function applyItem(hub: Hub, line: RegistryLine, errors: BulkError[], warnings: BulkWarning[]): void {
  const fault = hub.faults.forItem('bulkItem', line);
  try {
    if (fault?.effect === 'before') throw fault.error;
    if (fault?.effect === 'withoutTwin' && makesIdentity(line)) {
      applyLine(registryContext(hub, 'bulk'), { ...line, twin: {} }, hub.settings);
      warnings.push({
        deviceId: line.deviceId,
        warningCode: 'DeviceRegisteredWithoutTwin',
        warningStatus: `Device '${line.deviceId}' was registered, its twin could not be written.`,
      });
      return;
    }
    applyLine(registryContext(hub, 'bulk'), line, hub.settings);
    if (fault?.effect === 'after') throw fault.error;
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    errors.push({
      deviceId: line.deviceId,
      ...(line.moduleId !== '' && { moduleId: line.moduleId }),
      errorCode: hub.settings.bulkErrorCode === 'number' ? error.number : error.code,
      errorStatus: error.message,
      operation: line.importMode,
    });
  }
}
