/** Addresses of the nodes that an event endpoint has; absolute ones (`sb://host/…`) name the same nodes. */

export const CBS = '$cbs';
export const MANAGEMENT = '$management';

export interface ReceiverAddress {
  readonly entity: string;
  readonly consumerGroup: string;
  readonly partition: string;
}

/** Without scheme and host. */
export function bareAddress(address: unknown): string {
  return String(address ?? '').replace(/^[a-z]+:\/\/[^/]*\/|^\/+/i, '');
}

export function parseReceiverAddress(address: string): ReceiverAddress | undefined {
  const [, entity, consumerGroup, partition] =
    /^(.+)\/ConsumerGroups\/([^/]+)\/Partitions\/([^/]+)$/i.exec(address) ?? [];
  if (entity === undefined || consumerGroup === undefined || partition === undefined) return undefined;
  return { entity, consumerGroup, partition };
}

/** Names of event hubs and consumer groups are the same whatever their case. */
export function isSameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
