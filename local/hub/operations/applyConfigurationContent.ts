import { demandContent } from '../configurations/configurationRules.ts';
import { readConfigurationContent } from '../configurations/configurationWire.ts';
import { writeEdgeContent } from '../configurations/edgeContent.ts';
import { HubError } from '../http/hubError.ts';
import { isJsonObject } from '../twin/twinLimits.ts';
import { readBody, registryContext } from './context.ts';
import { demandDevice } from './devices.ts';
import { type Operation, param } from './operation.ts';

/**
 * Makes the modules that the content names and sets their desired properties at once, those of system modules too
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
    hub.store.transaction(() => writeEdgeContent(registryContext(hub), device, [modules]));
    return { status: 204 };
  },
};
