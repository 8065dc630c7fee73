import { RunDamaged } from '../runs/parseRunRecord.ts';
import type { RunContext } from '../runs/runContext.ts';
import type { AskAgain, AskInput } from '../runs/step.ts';
import { turnDelaySeconds } from '../turns/delays.ts';

/** The durable engine, as far as the life of a run's orchestration is concerned. */
export interface RunInstances {
  /** `gone`: there is none of that id, or it has ended. */
  stateOf(runId: string): Promise<'live' | 'suspended' | 'gone'>;
}

/** When a run that waits for its turn asks again; and whether a silent holder is dead, and has to give the turn up. */
export async function askAgain(
  context: RunContext,
  instances: RunInstances,
  { position, silentHolder, standing: before }: AskInput,
): Promise<Omit<AskAgain, 'do'>> {
  const now = context.now().getTime();
  const standing = before?.position === position ? before : { position, since: now };
  const seconds = turnDelaySeconds(position, now - standing.since);
  const isDead = silentHolder !== undefined && (await mayEvict(context, instances, silentHolder));
  return { seconds, standing, ...(isDead ? { evict: silentHolder } : {}) };
}

/**
 * Whether a silent holder has to give up the turn: only when nothing of it can still be at work on the hub. Its
 * orchestration is gone, or it is suspended; and no job of it is under way. A suspended one waits for its turn again when
 * it is resumed, unless its job has been done.
 */
async function mayEvict(context: RunContext, instances: RunInstances, holder: string): Promise<boolean> {
  const state = await instances.stateOf(holder);
  const record = await context.runs.read(holder).catch((error: unknown) => {
    // Nothing is done for it any more.
    if (error instanceof RunDamaged) return undefined;
    throw error;
  });
  if (state === 'live' && record?.suspendedAt === undefined) return false;
  return record === undefined || (await context.isIdle(record));
}
