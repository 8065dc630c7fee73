/**
 * Which calls need which right: by the clients that the code constructs, by the triggers that it registers, and by what
 * works for it in Azure. The tests compare the code, the templates and the hooks with these tables.
 */

export type Role =
  | 'Storage Blob Data Owner'
  | 'Storage Blob Data Contributor'
  | 'Storage Queue Data Contributor'
  | 'Storage Table Data Contributor'
  | 'Azure Event Hubs Data Receiver'
  | 'Azure Event Hubs Data Sender'
  | 'IoT Hub Data Contributor'
  | 'Monitoring Metrics Publisher';

/** What a right is on: the host's own account, the account with the data, … */
export type Scope = 'host' | 'data' | 'eventHub' | 'insights' | 'hub';

export interface Right {
  readonly role: Role;
  readonly on: Scope;
}

/** From the list of built-in roles of Azure. */
export const ROLE_IDS: Readonly<Record<Role, string>> = {
  'Storage Blob Data Owner': 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
  'Storage Blob Data Contributor': 'ba92f5b4-2d11-453d-a403-e96b0029c9fe',
  'Storage Queue Data Contributor': '974c5e8b-45b9-4653-ba55-5f855dd0fb88',
  'Storage Table Data Contributor': '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3',
  'Azure Event Hubs Data Receiver': 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde',
  'Azure Event Hubs Data Sender': '2b629674-e913-4c01-ae53-ef4638d8f975',
  'IoT Hub Data Contributor': '4fc6c259-987e-4a07-842e-c321cc9d413f',
  'Monitoring Metrics Publisher': '3913510d-42f4-4e42-8a64-420c390055eb',
};

const HOST_BLOBS: Right = { role: 'Storage Blob Data Owner', on: 'host' };
const HOST_QUEUES: Right = { role: 'Storage Queue Data Contributor', on: 'host' };
const HOST_TABLES: Right = { role: 'Storage Table Data Contributor', on: 'host' };
const DATA_BLOBS: Right = { role: 'Storage Blob Data Contributor', on: 'data' };
const EVENTS: Right = { role: 'Azure Event Hubs Data Receiver', on: 'eventHub' };

/** By what `src` constructs: a class of an SDK, or the client of the registry. */
export const RIGHTS_OF_CLIENTS: Readonly<Record<string, readonly Right[]>> = {
  BlobServiceClient: [DATA_BLOBS],
  TableClient: [{ role: 'Storage Table Data Contributor', on: 'data' }],
  EventHubConsumerClient: [EVENTS],
  createRegistryClient: [{ role: 'IoT Hub Data Contributor', on: 'hub' }],
};

/** By the kind of function that `src/functions` registers: what the host needs to fire it. */
export const RIGHTS_OF_TRIGGERS: Readonly<Record<string, readonly Right[]>> = {
  // Keys of functions are blobs.
  http: [HOST_BLOBS],
  // The times it fired, and the lease of the one instance that fires it.
  timer: [HOST_BLOBS],
  // Reads the blob; its own queue, and the one for what failed.
  storageBlob: [DATA_BLOBS, HOST_QUEUES, { role: 'Storage Queue Data Contributor', on: 'data' }],
  // Positions are blobs of the host.
  eventHub: [EVENTS, HOST_BLOBS],
  orchestration: [HOST_BLOBS, HOST_QUEUES, HOST_TABLES],
  activity: [HOST_BLOBS, HOST_QUEUES, HOST_TABLES],
  entity: [HOST_BLOBS, HOST_QUEUES, HOST_TABLES],
};

/** What no line of `src` shows. */
export const RIGHTS_OF_THE_PLAN: readonly Right[] = [
  // The plan reads the package of the app from its container.
  HOST_BLOBS,
  // Host and worker send telemetry.
  { role: 'Monitoring Metrics Publisher', on: 'insights' },
];

/** Those that a hub needs: its jobs write into containers of runs, its routes send events. */
export const RIGHTS_OF_THE_HUB: readonly Right[] = [
  DATA_BLOBS,
  { role: 'Azure Event Hubs Data Sender', on: 'eventHub' },
];

export const RIGHTS_OF_THE_APP: readonly Right[] = unique([
  ...Object.values(RIGHTS_OF_CLIENTS).flat(),
  ...Object.values(RIGHTS_OF_TRIGGERS).flat(),
  ...RIGHTS_OF_THE_PLAN,
]);

export function textOf({ role, on }: Right): string {
  return `${role} on ${on}`;
}

function unique(rights: readonly Right[]): Right[] {
  return [...new Map(rights.map((right) => [textOf(right), right])).values()];
}
