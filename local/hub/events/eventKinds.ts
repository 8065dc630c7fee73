/** The events that a hub routes, and how each is marked. */

export type EventKind = 'create' | 'delete' | 'updateTwin' | 'replaceTwin';

export interface EventMarks {
  /** Annotation `iothub-message-source`. */
  readonly source: 'deviceLifecycleEvents' | 'twinChangeEvents';
  /** Application property `iothub-message-schema`. */
  readonly schema: 'deviceLifecycleNotification' | 'twinChangeNotification';
  /** Application property `opType`. */
  readonly opType: string;
}

const lifecycle = { source: 'deviceLifecycleEvents', schema: 'deviceLifecycleNotification' } as const;
const twin = { source: 'twinChangeEvents', schema: 'twinChangeNotification' } as const;

/**
 * Modules have the names of devices, and a module id (azure-docs iot-hub-non-telemetry-event-schema.md, 2024). Until 2021
 * the documentation gave modules names of their own (`moduleLifecycleEvents`, `createModuleIdentity`).
 */
export const EVENT_MARKS: Readonly<Record<EventKind, EventMarks>> = {
  create: { ...lifecycle, opType: 'createDeviceIdentity' },
  delete: { ...lifecycle, opType: 'deleteDeviceIdentity' },
  updateTwin: { ...twin, opType: 'updateTwin' },
  replaceTwin: { ...twin, opType: 'replaceTwin' },
};
