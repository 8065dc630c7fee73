import type { Operation } from '../operations/operation.ts';
import { HubError } from './hubError.ts';

type Allows = (operation: Pick<Operation, 'name' | 'method' | 'right'>) => boolean;

/**
 * What a role allows (https://learn.microsoft.com/azure/iot-hub/authenticate-authorize-azure-ad), told by the rights that
 * policies have, as the simulator has no data actions.
 */
const ALLOWED: Readonly<Record<string, Allows>> = {
  'IoT Hub Data Contributor': ({ right }) => right !== 'DeviceConnect',
  'IoT Hub Registry Contributor': ({ right }) => right === 'RegistryRead' || right === 'RegistryWrite',
  'IoT Hub Twin Contributor': ({ right }) => right === 'ServiceConnect',
  'IoT Hub Data Reader': ({ name, method, right }) =>
    right !== 'DeviceConnect' && (method === 'GET' || name === 'queryDevices'),
};

/** Throws for an operation that none of the roles allows. */
export function demandRole(roles: readonly string[], operation: Parameters<Allows>[0]): void {
  if (roles.some((role) => ALLOWED[role]?.(operation))) return;
  throw new HubError(
    'IotHubUnauthorizedAccess',
    `Unauthorized. The principal is not authorized for ${operation.name} due to no assigned permissions.`,
  );
}
