/** The partition of a device's events, those of its modules included: a hash of the device id (FNV-1a). */
export function partitionOf(deviceId: string, partitions: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < deviceId.length; at += 1) {
    hash = Math.imul(hash ^ deviceId.charCodeAt(at), 0x01000193);
  }
  return (hash >>> 0) % partitions;
}
