/** What a suspend, a resume and a cancel change in the record of a run. */

import type { RunBase } from './runRecord.ts';

export function pausedRun<Run extends RunBase>(record: Run, now: Date): Run {
  return record.suspendedAt === undefined ? { ...withoutPlace(record), suspendedAt: now.toISOString() } : record;
}

/** A run that is to end: it is not held back any more, or it could not. A cancel that was asked for before stays. */
export function cancelledRun<Run extends RunBase>(record: Run, now: Date): Run {
  const { cancelRequestedAt = now.toISOString() } = record;
  return { ...resumedRun(record, now), cancelRequestedAt };
}

/** A run that is not suspended stays as it is, but for its place in the queue. */
export function resumedRun<Run extends RunBase>(record: Run, now: Date): Run {
  const { suspendedAt, suspendedMs = 0, ...rest } = withoutPlace(record);
  if (suspendedAt === undefined) return rest as unknown as Run;
  const sinceMs = Date.parse(suspendedAt);
  const waited = waitedUntil(rest as unknown as Run, sinceMs, now.getTime());
  return { ...waited, suspendedMs: suspendedMs + now.getTime() - sinceMs } as unknown as Run;
}

/** What a run waited for while it was suspended (from `start` to `end`, ms since the epoch) it has not waited for. */
function waitedUntil<Run extends Pick<RunBase, 'waiting'>>(record: Run, start: number, end: number): Run {
  const { waiting } = record;
  if (waiting === undefined) return record;
  const since = Date.parse(waiting.since);
  const moved = new Date(since + end - Math.max(since, start)).toISOString();
  return { ...record, waiting: { ...waiting, since: moved } };
}

/** A suspended run stands in no queue; and the time for which it was suspended is no time for which it has waited. */
function withoutPlace<Run extends RunBase>(record: Run): Run {
  const { waiting, ...rest } = record;
  return waiting === undefined || waiting.kind === 'turn' ? (rest as unknown as Run) : record;
}
