import type { Operation } from './operation.ts';

/** Totals may lag behind the registry (`statisticsLagMs`). */
export const deviceStatistics: Operation = {
  name: 'deviceStatistics',
  method: 'GET',
  path: '/statistics/devices',
  right: 'RegistryRead',
  throttle: { kind: 'registry' },
  handle: (hub) => {
    const { devices, enabledDevices } = hub.consistency.statistics();
    return {
      status: 200,
      body: {
        totalDeviceCount: devices,
        enabledDeviceCount: enabledDevices,
        disabledDeviceCount: devices - enabledDevices,
      },
    };
  },
};

/** No device ever connects to the simulator. */
export const serviceStatistics: Operation = {
  name: 'serviceStatistics',
  method: 'GET',
  path: '/statistics/service',
  right: 'RegistryRead',
  throttle: { kind: 'registry' },
  handle: () => ({ status: 200, body: { connectedDeviceCount: 0 } }),
};
