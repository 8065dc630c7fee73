import { demandDevice } from './devices.ts';
import { type Operation, param } from './operation.ts';

/** Purges the cloud-to-device queue, which is always empty here. The documented rights name C2D under ServiceConnect. */
export const purgeCommands: Operation = {
  name: 'purgeCommands',
  method: 'DELETE',
  path: '/devices/:deviceId/commands',
  right: 'ServiceConnect',
  throttle: { kind: 'registry' },
  handle: (hub, request) => {
    const { deviceId } = demandDevice(hub, param(request, 'deviceId'));
    return { status: 200, body: { totalMessagesPurged: 0, deviceId, moduleId: null } };
  },
};
