import { isAnyUnderWay } from '../../hubJobs/hubJob.ts';
import { readJobState } from '../../hubJobs/jobState.ts';
import { HubError } from '../../registry/index.ts';
import { MOST_EXPORT_TRIES } from '../again/waves.ts';
import type { Epoch } from '../run/epoch.ts';
import { exportJobBlob, IMPORT_JOB_BLOB, PARENTS_JOB_BLOB, RETRY_JOB_BLOB, verifyJobBlob } from '../run/jobBlobs.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';

/** Whether it is known that no job of the run is under way; a hub that does not answer leaves it open. */
export async function isProvisioningIdle(context: ProvisioningContext, record: ProvisionRun): Promise<boolean> {
  // Before its hub is known it has none.
  if (record.hub === undefined) return true;
  try {
    return await noJobUnderWay(context, record);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    context.log.log('warn', `whether the job of run ${record.runId} has ended is not known: ${error.message}`);
    return false;
  }
}

/** Whether no job of the run is under way: of exports that were tried more often or taken anew, the latest. */
async function noJobUnderWay(context: ProvisioningContext, record: ProvisionRun): Promise<boolean> {
  const epoch = (await readJobState(context, record, IMPORT_JOB_BLOB))?.fence;
  const jobs = [
    {
      noted: record.jobs.export?.epoch === epoch ? record.jobs.export : undefined,
      stateBlob: epoch === undefined ? undefined : exportJobBlob(epoch as Epoch),
    },
    { noted: record.jobs.import, stateBlob: IMPORT_JOB_BLOB },
    { noted: record.jobs.retry, stateBlob: RETRY_JOB_BLOB },
    { noted: record.jobs.verify, stateBlob: await lastVerifyBlob(context, record) },
    { noted: record.jobs.parents, stateBlob: PARENTS_JOB_BLOB },
  ];
  return !(await isAnyUnderWay(context, record, jobs));
}

async function lastVerifyBlob(context: ProvisioningContext, record: ProvisionRun): Promise<string> {
  for (let exportTry = MOST_EXPORT_TRIES; exportTry > 1; exportTry--) {
    const stateBlob = verifyJobBlob(exportTry);
    if ((await readJobState(context, record, stateBlob)) !== undefined) return stateBlob;
  }
  return verifyJobBlob(1);
}
