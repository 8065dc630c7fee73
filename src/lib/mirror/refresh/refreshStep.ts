/** One activity of a refresh: hands over finished runs, reads what was granted, and says what there is left to do. */

import { defined } from '../../defined.ts';
import { paceOf } from '../../turns/hubPace.ts';
import { MOST_PENDING } from '../notes/wantedReconcile.ts';
import { BUCKETS } from '../store/mirrorStore.ts';
import { askForReconcile } from './askForReconcile.ts';
import { type DueWork, dueWork, MOST_OF_BUCKET, secondsUntilDue } from './dueWork.ts';
import { handOverRuns } from './handOverRuns.ts';
import { TWINS_A_PAGE } from './queryTexts.ts';
import type { RefreshContext } from './refreshContext.ts';
import { NO_AMOUNTS, type RefreshAmounts, type RefreshPace } from './refreshPlan.ts';
import { type Grant, type Refreshed, refreshRows } from './refreshRows.ts';

export interface RefreshInput extends Grant {
  /** Alias. */
  readonly hub: string;
  /** Looks for finished runs, and at the length of the queue, too. */
  readonly look: boolean;
}

/** Counts only: it stays in the durable history. */
export interface RefreshReply extends Refreshed {
  /** What is due, as far as it was looked at. */
  readonly left: RefreshAmounts;
  readonly pace: RefreshPace;
  /** There is more of finished runs to be handed over. */
  readonly handingOver?: true;
  /** Nothing was read, and nothing is due; something is in so many seconds. */
  readonly soonSeconds?: number;
  /** It is to end: more is pending than refreshes are for, and a reconcile was asked for. */
  readonly over?: true;
}

/** What is due later than that is left to the next start. */
const SOON_SECONDS = 30;

const NOTHING: Refreshed = { read: 0, again: 0, worked: 0, queries: 0, operations: 0, throttled: [], trouble: false };

/** What a refresh is told that is to end, with its queue as it is. */
export const LEFT_ALONE: RefreshReply = {
  ...NOTHING,
  left: NO_AMOUNTS,
  pace: { queriesPerMinute: 1, operationsPerMinute: 1 },
  over: true,
};

/** @throws StoreUnavailable */
export async function refreshStep(context: RefreshContext, input: RefreshInput): Promise<RefreshReply> {
  const { hub, look } = input;
  const { queriesPerMinute, itemsPerMinute } = paceOf(context.settings.hubSizes.get(hub) ?? { tier: 'S1', units: 1 });
  const pace = { queriesPerMinute, operationsPerMinute: itemsPerMinute };
  const isHandedOver = !look || (await handOverRuns(context, hub));
  const work = await dueWork(context, hub);
  // Only where most buckets are full it may be that many.
  if (look && work.listed > (BUCKETS * MOST_OF_BUCKET) / 2) {
    const pending = await context.store.countWanted(hub, MOST_PENDING + 1);
    const reason = `More than ${MOST_PENDING} rows of the mirror wait to be read.`;
    if (pending > MOST_PENDING && (await askForReconcile(context, hub, reason))) {
      return LEFT_ALONE;
    }
  }
  const done = input.queries + input.operations > 0 ? await refreshRows(context, hub, work, input) : NOTHING;
  const left = done.trouble ? amountsOf(work) : amountsOf(work, done);
  // What was read in vain may be due at once.
  const isIdle = done.read + left.queries + left.operations === 0;
  const soonSeconds = isIdle ? await secondsUntilDue(context, hub, SOON_SECONDS) : undefined;
  return { ...done, left, pace, ...(isHandedOver ? {} : { handingOver: true }), ...defined({ soonSeconds }) };
}

function amountsOf({ queries, rest, operations }: DueWork, done: Refreshed = NOTHING): RefreshAmounts {
  return {
    queries: Math.max(0, queries.length - done.worked) + Math.ceil(rest / TWINS_A_PAGE),
    operations: Math.max(0, operations - done.operations),
  };
}
