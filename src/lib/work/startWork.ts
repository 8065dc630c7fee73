import { randomBytes } from 'node:crypto';

import { defined } from '../defined.ts';
import type { RunStarter } from '../runs/restartRun.ts';
import { restartIfLost } from '../runs/restartRun.ts';
import { runIdOf } from '../runs/runId.ts';
import { span, traceparent } from '../telemetry/telemetry.ts';
import type { WorkContext, WorkRun, WorkToStart } from './workRun.ts';

type StartContext = Pick<WorkContext, 'runs' | 'now' | 'settings' | 'storage' | 'hub' | 'isIdle' | 'sleep' | 'log'>;

/**
 * Begins work: the record first, then its orchestration. Safe to call any number of times for the same `once`.
 *
 * @returns the record as it stands
 */
export function startWork(context: StartContext, starter: RunStarter, work: WorkToStart): Promise<WorkRun> {
  return span(`start ${work.kind}`, {}, async (tell) => {
    const record = await startTraced(context, starter, work);
    tell(defined({ 'hubkeeper.run': record.runId, 'hubkeeper.kind': work.kind, 'hubkeeper.hub': work.hub }));
    return record;
  });
}

async function startTraced(
  context: StartContext,
  starter: RunStarter,
  { kind, hub, request, once, reads }: WorkToStart,
): Promise<WorkRun> {
  const runId = workRunId(once === undefined ? undefined : [context.storage.accountName, kind, hub ?? '', once]);
  const at = context.now().toISOString();
  const record: WorkRun = {
    kind,
    version: 1,
    runId,
    ...(hub === undefined ? {} : { hub }),
    request,
    ...(reads === undefined ? {} : { reads }),
    jobs: {},
    state: 'accepted',
    createdAt: at,
    updatedAt: at,
    ...defined({ traceparent: traceparent() }),
    startClaim: { at, attempt: 1 },
  };
  if (await context.runs.create(record)) {
    await starter.start(runId, 1, kind);
    return record;
  }
  await restartIfLost(context, starter, runId);
  return (await context.runs.read(runId)) ?? record;
}

/** 20 lower-case hexadecimal characters, as the ids of all runs: of the words, or of nothing but chance. */
function workRunId(words: readonly string[] | undefined): string {
  if (words === undefined) return randomBytes(10).toString('hex');
  return runIdOf(words);
}
