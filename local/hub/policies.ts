import { createHash, randomBytes } from 'node:crypto';

export const RIGHTS = ['RegistryRead', 'RegistryWrite', 'ServiceConnect', 'DeviceConnect'] as const;
export type Right = (typeof RIGHTS)[number];

export interface Policy {
  readonly name: string;
  readonly primaryKey: string;
  readonly secondaryKey: string;
  readonly rights: readonly Right[];
}

/** The policies that every new hub has (https://learn.microsoft.com/azure/iot-hub/iot-hub-dev-guide-sas). */
const BUILT_IN: Readonly<Record<PolicyName, readonly Right[]>> = {
  iothubowner: ['RegistryRead', 'RegistryWrite', 'ServiceConnect', 'DeviceConnect'],
  service: ['ServiceConnect'],
  device: ['DeviceConnect'],
  registryRead: ['RegistryRead'],
  registryReadWrite: ['RegistryRead', 'RegistryWrite'],
};

export const POLICY_NAMES = ['iothubowner', 'service', 'device', 'registryRead', 'registryReadWrite'] as const;
export type PolicyName = (typeof POLICY_NAMES)[number];

/**
 * New hubs have the same keys everywhere, as Azurite has: settings for local work can be written down once. They open
 * nothing but a simulator on the loopback interface.
 */
export function mintPolicies(): Policy[] {
  return POLICY_NAMES.map((name) => ({
    name,
    primaryKey: wellKnownKey(`${name} primary`),
    secondaryKey: wellKnownKey(`${name} secondary`),
    rights: BUILT_IN[name],
  }));
}

function wellKnownKey(name: string): string {
  return createHash('sha256').update(`local IoT Hub simulator: ${name}`).digest('base64');
}

/** A symmetric key as the hub makes them: 32 random bytes in base64. */
export function newKey(): string {
  return randomBytes(32).toString('base64');
}

/**
 * The connection strings of a hub's policies. `UseDevelopmentEmulator=true` marks plain HTTP on the loopback interface.
 */
export function connectionStringsOf(policies: readonly Policy[], host: string): Record<PolicyName, string> {
  const strings: Partial<Record<PolicyName, string>> = {};
  for (const name of POLICY_NAMES) {
    const key = policies.find((policy) => policy.name === name)?.primaryKey;
    if (key === undefined) throw new Error(`The hub has no policy ${name}.`);
    strings[name] = `HostName=${host};SharedAccessKeyName=${name};SharedAccessKey=${key};UseDevelopmentEmulator=true`;
  }
  return strings as Record<PolicyName, string>;
}

/**
 * The connection string of the built-in event endpoint, as clients of Event Hubs take it: `UseDevelopmentEmulator=true`
 * has them speak plain AMQP, to the port of the endpoint.
 */
export function eventConnectionString(policies: readonly Policy[], port: number, eventHub: string): string {
  const name: PolicyName = 'service';
  const key = policies.find((policy) => policy.name === name)?.primaryKey;
  if (key === undefined) throw new Error(`The hub has no policy ${name}.`);
  return `Endpoint=sb://127.0.0.1:${port}/;SharedAccessKeyName=${name};SharedAccessKey=${key};EntityPath=${eventHub};UseDevelopmentEmulator=true`;
}
