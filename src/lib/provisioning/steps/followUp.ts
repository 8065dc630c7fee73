import { isOver } from '../../hubJobs/hubJob.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import { type Aftermath, enter, type FollowUp, mayRetry } from '../again/aftermath.ts';
import { beginWave, markFinished, waveOfCalls, workOn } from '../again/callWaves.ts';
import { waveOfRemovals } from '../again/removals.ts';
import { dueSecondJob, planSecondJob } from '../again/secondJob.ts';
import { demandWaves, openWaves, readWaves } from '../again/waves.ts';
import { CHECK_BLOB, checkOf } from '../check/checkResult.ts';
import { settleConfigurations } from '../configurations/settleConfigurations.ts';
import { isFinalWord, mayBeStale, readFacts } from '../evidence/jobFacts.ts';
import { openRun } from '../job/openRun.ts';
import { isRemovalDue, readFindings } from '../outcome/verdicts.ts';
import { nextParents } from '../parents/parents.ts';
import { readFilled } from '../preImage/filled.ts';
import { afterLoss } from '../recovery/afterLoss.ts';
import { surviving } from '../recovery/recovery.ts';
import { isLostAfterSend, type ProvisioningContext, retryMsOf } from '../run/provisionRun.ts';
import { nextVerification } from '../verify/nextVerification.ts';

/**
 * What is to be done next after the import job of a run has ended: a second job, lines to be sent once more, lines to be
 * verified, or the report. All that is known lies in staging (`rounds.json`), so that it may be asked again at any time.
 *
 * @param input `finished`: the wave whose lanes have come to their end
 */
export const followUp = surviving(
  findNext,
  (how): FollowUp => (how === 'ended' ? { do: 'ended' } : { do: 'wait', seconds: 1 }),
);

async function findNext(
  context: ProvisioningContext,
  { runId, finished }: { readonly runId: string; readonly finished?: string },
): Promise<FollowUp> {
  const record = await openRun(context, runId);
  if (record === undefined) return { do: 'ended' };
  if (record.jobs.import === undefined) throw new Error(`The run ${runId} has no job.`);
  // Whoever watched the job may have been lost: nothing is judged while it can still change anything.
  if (!(await isOver(context, record, record.jobs.import))) return { do: 'notEnded' };
  if (isLostAfterSend(record)) {
    const wait = await afterLoss(context, record);
    if (wait !== undefined) return wait;
  }
  // Before any other job: a second import replaces the log of configurations, too.
  await settleConfigurations(context, record);

  const waves = record.wavesOpened ? await demandWaves(context, record) : await readWaves(context, record);
  const facts = await readFacts(context, record, waves);
  const check = await checkOf(context, runId);
  if (check === undefined) throw new StagingLost(runId, CHECK_BLOB);
  // What was filled in may be lost with the rest: then nothing is taken away any more either.
  const filled = isLostAfterSend(record) ? undefined : await readFilled(context, record);
  // A line that met a twin that has changed is merged once more.
  const hasFinalWord = isFinalWord(facts) && !(filled?.merged !== undefined && mayBeStale(facts));
  if (hasFinalWord && check.parents === 0 && filled?.removals === undefined) return { do: 'settle' };
  const retryUntil = new Date(context.now().getTime() + retryMsOf(record)).toISOString();
  let state = await openWaves(context, record, retryUntil, facts.first.log !== undefined);
  if (!record.wavesOpened) await context.runs.update(runId, (current) => ({ ...current, wavesOpened: true }));
  if (finished !== undefined) state = await markFinished(context, record, finished);
  const work = { context, record, check, state, facts };

  // A second job that was begun has its say, however long it takes and whoever cancels the run.
  const due = await dueSecondJob(work);
  if (due !== undefined) return due;
  if (!hasFinalWord && mayRetry(context, record, state)) {
    const next = (await planSecondJob(work)) ?? (await waveOfCalls(work));
    if (next !== undefined) return next;
  }
  if (!hasFinalWord) {
    const next = await nextVerification({ ...work, state: (await readWaves(context, record)) ?? state });
    if (next !== undefined) return next;
  }
  const removals = await waveOfRemovals(
    { context, record, state: (await readWaves(context, record)) ?? state },
    filled,
    async () => {
      const findings = await readFindings(context, record);
      return (line) => isRemovalDue(line, findings);
    },
  );
  if (removals !== undefined) return beginWave(work, removals);
  return (await linkParents(work)) ?? { do: 'settle' };
}

/** Devices are linked to their parents when it is known which of them are there. */
async function linkParents(work: Aftermath): Promise<FollowUp | undefined> {
  const { context, record, check } = work;
  const step = await nextParents(context, record, check);
  if (step === undefined) return undefined;
  await enter(work, 'parents');
  if (step.do === 'wait') return step;
  if (step.do === 'job') return { do: 'job', kind: 'parents' };
  return workOn(work, step.wave);
}
