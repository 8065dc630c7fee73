import { BUCKETS } from './mirrorStore.ts';

/**
 * The bucket of a device and its modules, 0 to 63. Of every store the same, and for good: a row is looked for where its
 * bucket says. Changed, as `BUCKETS` changed, it would find none of the rows that are there: each would stay for ever beside a
 * new one of the same device, and queries would show both. FNV-1a over the characters of the id, mixed in the end, for ids differ in their last digits.
 */
export function bucketOf(deviceId: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < deviceId.length; at += 1) hash = Math.imul(hash ^ deviceId.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % BUCKETS;
}
