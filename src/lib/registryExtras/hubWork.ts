/**
 * Work on many things of a hub, one after the other, that can stop and go on: whoever runs it grants some items and some
 * time, keeps the position it is given back, and hands it in again.
 */

import { defined } from '../defined.ts';
import { HubKeeperError } from '../errors.ts';
import { HubError, type RegistryClient } from '../registry/index.ts';

export interface WorkLimits {
  /** Items in this step; the budget of the hub decides. */
  readonly atMost: number;
  /** No item is begun after that. */
  readonly until: Date;
  /** Pause between two items, ms: a hub delays, and then refuses, what comes all at once. Default 0. */
  readonly pauseMs?: number;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
}

export interface WorkStep<Result> {
  readonly results: readonly Result[];
  /** Items that are done since the beginning, whatever became of them. */
  readonly position: number;
  readonly done: boolean;
  /** What the hub ended the step early with; if it is transient, the next one goes on with the item at `position`. */
  readonly stoppedBy?: HubError;
}

/** What became of one item of a restore. */
export interface ItemOutcome {
  readonly what: 'systemModules' | 'systemModuleTwin' | 'managedBy' | 'configuration';
  /** Of the device or configuration. */
  readonly id: string;
  readonly moduleId?: string;
  readonly outcome: 'succeeded' | 'failed' | 'unchanged';
  readonly code?: string;
  readonly message?: string;
  readonly action?: string;
}

export type ItemName = Pick<ItemOutcome, 'what' | 'id' | 'moduleId'>;

/**
 * Works through items from a position on.
 *
 * @param items always the same in the same order
 * @throws what `work` throws, but for errors of the hub
 */
export async function workThrough<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  position: number,
  limits: WorkLimits,
  work: (item: Item) => Promise<readonly Result[]>,
): Promise<WorkStep<Result>> {
  const results: Result[] = [];
  let at = 0;
  for await (const item of items) {
    if (at < position) {
      at += 1;
      continue;
    }
    if (at - position >= limits.atMost || limits.now() >= limits.until) return { results, position: at, done: false };
    try {
      if (at > position && limits.pauseMs !== undefined) await limits.sleep(limits.pauseMs);
      results.push(...(await work(item)));
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      return { results, position: at, done: false, stoppedBy: error };
    }
    at += 1;
  }
  return { results, position: at, done: true };
}

/** The outcome of work on one item; an error that does not pass is one. Transient ones are thrown. */
export async function outcomeOf(item: ItemName, work: () => Promise<ItemOutcome>): Promise<ItemOutcome> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof HubKeeperError) || (error instanceof HubError && error.retryable)) throw error;
    return failed(item, error);
  }
}

export function failed(
  item: ItemName,
  { code, message, action }: { readonly code: string; readonly message: string; readonly action?: string | undefined },
): ItemOutcome {
  return { ...item, outcome: 'failed', code, message, ...defined({ action }) };
}

/**
 * Why a hub refuses to show modules of a device: to a SAS token it answers 401 for those of a device that is missing or
 * disabled (seen on a live hub). Undefined: for another reason.
 */
export async function refusalOf(
  hub: RegistryClient,
  deviceId: string,
  error: unknown,
): Promise<'missing' | 'disabled' | undefined> {
  if (!(error instanceof HubError) || error.status !== 401) return undefined;
  const device = await hub.getDevice(deviceId);
  if (device === undefined) return 'missing';
  return device.status === 'disabled' ? 'disabled' : undefined;
}
