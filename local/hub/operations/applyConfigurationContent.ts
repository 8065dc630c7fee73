import { demandContent } from '../configurations/configurationRules.ts';
import { readConfigurationContent } from '../configurations/configurationWire.ts';
import { HubError } from '../http/hubError.ts';
import type { Hub } from '../hub.ts';
import { replaceTwinParts } from '../twin/twinColumns.ts';
import { isJsonObject, type JsonObject } from '../twin/twinLimits.ts';
import { readBody, registryContext } from './context.ts';
import { demandDevice } from './devices.ts';
import { type Operation, param } from './operation.ts';

/**
 * Sets the desired properties of an edge device's modules at once, system modules included
 * (https://learn.microsoft.com/rest/api/iothub/service/configuration/apply-on-edge-device).
 */
export const applyConfigurationContent: Operation = {
  name: 'applyConfigurationContent',
  method: 'POST',
  path: '/devices/:deviceId/applyConfigurationContent',
  readsTwins: true,
  right: 'RegistryWrite',
  throttle: { kind: 'configurations' },
  handle: (hub, request) => {
    const device = demandDevice(hub, param(request, 'deviceId'));
    if (device.iotEdge === 0) throw new HubError('ArgumentInvalid', 'Not an Azure IoT Edge device');
    const content = readBody(() => readConfigurationContent(request.body));
    demandContent(content);
    const modules = content.modulesContent;
    if (!isJsonObject(modules)) {
      throw new HubError('InvalidConfigurationContent', 'An edge device takes modulesContent only.');
    }
    hub.store.transaction(() => {
      for (const [moduleId, desired] of Object.entries(modules)) {
        if (isJsonObject(desired)) applyToModule(hub, device.deviceId, moduleId, desired);
      }
    });
    return { status: 204 };
  },
};

/** Modules that the content names and the device lacks are ignored: the edge runtime makes them when it runs. */
function applyToModule(hub: Hub, deviceId: string, moduleId: string, content: JsonObject): void {
  const row = hub.store.find(deviceId, moduleId);
  if (row === undefined) return;
  let desired: JsonObject = JSON.parse(row.desired);
  for (const [key, value] of Object.entries(content)) {
    const path = key.split('.').slice(2);
    if (path.length === 0) desired = isJsonObject(value) ? value : {};
    else setAt(desired, path, value);
  }
  hub.store.update(row, { ...row, ...replaceTwinParts(row, { desired }, registryContext(hub).nowMs) });
}

function setAt(target: JsonObject, path: readonly string[], value: unknown): void {
  const [first, ...rest] = path;
  if (first === undefined) return;
  if (rest.length === 0) {
    target[first] = value;
    return;
  }
  const inner = target[first];
  const next: JsonObject = isJsonObject(inner) ? inner : {};
  target[first] = next;
  setAt(next, rest, value);
}
