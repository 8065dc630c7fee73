/**
 * Counts of devices by groups, kept as blobs: whoever asks within a minute gets what was counted, and of several who ask at
 * once, in whichever instance of the app, one counts.
 */

import { randomUUID } from 'node:crypto';
import type { BlobLeaseClient, ContainerClient } from '@azure/storage-blob';

import { ensureContainer } from '../../storage/ensureContainer.ts';
import { readJson, writeJson } from '../../storage/jsonBlob.ts';
import { isConditionFailed } from '../../storage/storageErrors.ts';
import { BUCKETS, type MirrorStore } from '../store/mirrorStore.ts';
import { addCounts, type Counted, countBuckets, type PartlyCounted } from './countRows.ts';
import { type CountedTogether, countedTogether } from './grouping.ts';
import { queryError } from './queryTexts.ts';

export interface CountContext {
  readonly store: MirrorStore;
  /** `MIRROR_CONTAINER`. */
  readonly container: ContainerClient;
  /** Aliases of the hubs that there are. */
  readonly hubs: readonly string[];
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
}

/** What is answered. */
export interface CountView {
  readonly devices: number;
  readonly modules: number;
  /** What they were counted by, and the groups, the largest first. */
  readonly by?: string;
  readonly groups?: readonly { readonly value: string | null; readonly devices: number }[];
  /** When the counting began, ISO UTC: of several hubs, the earliest. */
  readonly at: string;
}

export interface Counts {
  /**
   * @param hub undefined: of all hubs
   * @param by undefined: the sum
   * @throws MirrorQueryError `queryInvalid`, `tooManyGroups`, `countUnderWay`; StoreUnavailable
   */
  count(hub: string | undefined, by: string | undefined): Promise<CountView>;
  /** What was counted last, however old; undefined: nothing was. */
  known(hub: string): Promise<StoredCount | undefined>;
}

export interface StoredCount extends Counted {
  /** When the counting began, ISO UTC. */
  readonly at: string;
  readonly tookMs: number;
}

const FRESH_MS = 60_000;
/** Counts that take long are good for longer, or the app would do nothing else. */
const FRESH_TIMES = 2;
/** A call of the HTTP API is cut off after 230 s in Azure. */
const MOST_MS = 100_000;
/** What was counted before the time was up is good for so long. */
const PARTLY_MS = 10 * 60_000;
const LEASE_SECONDS = 60;
const RENEW_MS = 20_000;
const WAIT_MS = 500;

export function createCounts(context: CountContext): Counts {
  const underWay = new Map<string, Promise<StoredCount>>();
  /** Those who ask in this process are answered together. */
  const ofHub = (hub: string, together: CountedTogether): Promise<StoredCount> => {
    const name = `${hub}/${together.name}`;
    const already = underWay.get(name);
    if (already !== undefined) return already;
    const asked = countHub(context, hub, together).finally(() => underWay.delete(name));
    underWay.set(name, asked);
    return asked;
  };
  return {
    async count(hub, by) {
      const together = countedTogether(by);
      const hubs = hub === undefined ? context.hubs : [hub];
      const counted = await Promise.all(hubs.map((alias) => ofHub(alias, together)));
      const sum = addCounts(counted);
      const at = counted.map((count) => count.at).toSorted()[0] ?? context.now().toISOString();
      const groups =
        by === 'hub' ? hubs.map((alias, index) => [alias, counted[index]?.devices ?? 0] as const) : undefined;
      return { devices: sum.devices, modules: sum.modules, ...groupsOf(by, groups ?? sum.groups[by ?? '']), at };
    },
    async known(hub) {
      const blob = context.container.getBlockBlobClient(`counts/${hub}/${countedTogether(undefined).name}.json`);
      return (await readJson<StoredCount>(blob))?.value;
    },
  };
}

function groupsOf(by: string | undefined, pairs: Counted['groups'][string] = []): Pick<CountView, 'by' | 'groups'> {
  if (by === undefined) return {};
  const groups = pairs.map(([value, devices]) => ({ value, devices }));
  groups.sort((a, b) => b.devices - a.devices || ((a.value ?? '') < (b.value ?? '') ? -1 : 1));
  return { by, groups };
}

async function countHub(context: CountContext, hub: string, together: CountedTogether): Promise<StoredCount> {
  const { container, now, sleep } = context;
  const blob = container.getBlockBlobClient(`counts/${hub}/${together.name}.json`);
  const fresh = async (): Promise<StoredCount | undefined> => {
    const count = (await readJson<StoredCount>(blob))?.value;
    if (count === undefined) return undefined;
    const age = now().getTime() - Date.parse(count.at);
    return age < Math.max(FRESH_MS, FRESH_TIMES * count.tookMs) ? count : undefined;
  };
  const endsAt = now().getTime() + MOST_MS;
  await ensureContainer(container);
  const lock = container.getBlockBlobClient(`counts/${hub}/${together.name}.lock`);
  await writeJson(lock, {}, { ifAbsent: true });
  const lease = lock.getBlobLeaseClient(randomUUID());
  for (;;) {
    const count = await fresh();
    if (count !== undefined) return count;
    if (await acquired(lease)) break;
    if (now().getTime() >= endsAt) throw queryError('countUnderWay', { done: 'some', all: BUCKETS });
    await sleep(WAIT_MS);
  }
  try {
    // Another one may have written it, and let go of the lease, between the two.
    return (await fresh()) ?? (await countAnew(context, { hub, together, endsAt, lease }));
  } finally {
    await lease.releaseLease().catch(() => undefined);
  }
}

interface Anew {
  readonly hub: string;
  readonly together: CountedTogether;
  readonly endsAt: number;
  readonly lease: BlobLeaseClient;
}

async function countAnew(context: CountContext, { hub, together, endsAt, lease }: Anew): Promise<StoredCount> {
  const { container, store, now } = context;
  const named = (end: string) => container.getBlockBlobClient(`counts/${hub}/${together.name}.${end}`);
  const earlier = (await readJson<PartlyCounted>(named('partly.json')))?.value;
  const isOfUse = earlier !== undefined && now().getTime() - Date.parse(earlier.begunAt) < PARTLY_MS;
  const begunAt = isOfUse ? earlier.begunAt : now().toISOString();
  const renewal = setInterval(() => void lease.renewLease().catch(() => undefined), RENEW_MS).unref();
  try {
    const buckets = await countBuckets({
      store,
      hub,
      groupings: together.groupings,
      known: isOfUse ? earlier.buckets : {},
      isLate: () => now().getTime() >= endsAt,
    });
    const parts = Object.values(buckets);
    if (parts.length < BUCKETS) {
      await writeJson(named('partly.json'), { begunAt, buckets } satisfies PartlyCounted);
      throw queryError('countUnderWay', { done: parts.length, all: BUCKETS });
    }
    const count: StoredCount = { ...addCounts(parts), at: begunAt, tookMs: now().getTime() - Date.parse(begunAt) };
    await writeJson(named('json'), count);
    if (earlier !== undefined) await named('partly.json').deleteIfExists();
    return count;
  } finally {
    clearInterval(renewal);
  }
}

async function acquired(lease: BlobLeaseClient): Promise<boolean> {
  try {
    await lease.acquireLease(LEASE_SECONDS);
    return true;
  } catch (error) {
    if (isConditionFailed(error)) return false;
    throw error;
  }
}
