/** Counts the devices of a hub, bucket by bucket, several at a time. */

import { BUCKETS, type MirrorStore } from '../store/mirrorStore.ts';
import type { Grouping } from './grouping.ts';
import { queryError } from './queryTexts.ts';

/** Pairs, for null is a value, too. */
export type Groups = readonly (readonly [value: string | null, devices: number])[];

export interface Counted {
  readonly devices: number;
  readonly modules: number;
  /** By the `by` of each grouping. */
  readonly groups: Readonly<Record<string, Groups>>;
}

/** What has been counted when the time was up, to be gone on with. */
export interface PartlyCounted {
  /** ISO UTC. */
  readonly begunAt: string;
  readonly buckets: Readonly<Record<number, Counted>>;
}

/** More than these say nothing to anybody. */
export const MOST_GROUPS = 5_000;
const AT_ONCE = 8;

export interface CountOptions {
  readonly store: MirrorStore;
  readonly hub: string;
  readonly groupings: readonly Grouping[];
  /** Of earlier calls. */
  readonly known: PartlyCounted['buckets'];
  /** Asked before each bucket and now and then: no more are begun, and none is ended. */
  readonly isLate: () => boolean;
}

/**
 * @returns the buckets that are counted; all of them, unless it got late
 * @throws MirrorQueryError `tooManyGroups`; StoreUnavailable
 */
export async function countBuckets(options: CountOptions): Promise<PartlyCounted['buckets']> {
  const counted: Record<number, Counted> = { ...options.known };
  const left = Array.from({ length: BUCKETS }, (_, bucket) => bucket).filter((bucket) => counted[bucket] === undefined);
  const seen = new Map(options.groupings.map(({ by }) => [by, new Set<string | null>()]));
  for (const { groups } of Object.values(counted)) {
    for (const [by, values] of seen) for (const [value] of groups[by] ?? []) values.add(value);
  }
  const work = async (): Promise<void> => {
    for (let bucket = left.shift(); bucket !== undefined && !options.isLate(); bucket = left.shift()) {
      const found = await countBucket(bucket, options, seen);
      if (found !== undefined) counted[bucket] = found;
    }
  };
  const works = Array.from({ length: AT_ONCE }, () =>
    work().catch((error: unknown) => {
      left.length = 0;
      throw error;
    }),
  );
  await Promise.all(works);
  return counted;
}

/** @param seen values of each grouping, so far */
async function countBucket(
  bucket: number,
  { store, hub, groupings, isLate }: CountOptions,
  seen: ReadonlyMap<string, Set<string | null>>,
): Promise<Counted | undefined> {
  const counts = groupings.map(({ by, groupOf }) => ({ by, groupOf, sums: new Map<string | null, number>() }));
  let [devices, modules] = [0, 0];
  for await (const { row } of store.rows(hub, { bucket, presentOnly: true, withoutProperties: true })) {
    if ((devices + modules) % 1_000 === 999 && isLate()) return undefined;
    if (row.state !== 'present') continue;
    if (row.moduleId !== undefined) {
      modules += 1;
      continue;
    }
    devices += 1;
    for (const { by, groupOf, sums } of counts) {
      const value = groupOf(row);
      const before = sums.get(value);
      sums.set(value, (before ?? 0) + 1);
      if (before !== undefined) continue;
      const values = seen.get(by)?.add(value);
      if ((values?.size ?? 0) > MOST_GROUPS) throw queryError('tooManyGroups', { by, most: MOST_GROUPS });
    }
  }
  return { devices, modules, groups: Object.fromEntries(counts.map(({ by, sums }) => [by, [...sums]])) };
}

/** The sum of several counts. */
export function addCounts(parts: readonly Counted[]): Counted {
  const groups = new Map<string, Map<string | null, number>>();
  for (const part of parts) {
    for (const [by, pairs] of Object.entries(part.groups)) {
      const sums = groups.get(by) ?? new Map<string | null, number>();
      groups.set(by, sums);
      for (const [value, devices] of pairs) sums.set(value, (sums.get(value) ?? 0) + devices);
    }
  }
  return {
    devices: parts.reduce((sum, { devices }) => sum + devices, 0),
    modules: parts.reduce((sum, { modules }) => sum + modules, 0),
    groups: Object.fromEntries([...groups].map(([by, sums]) => [by, [...sums]])),
  };
}
