/** A run up to the start of its job, on a hub that has nothing but jobs. */

import type { ProvisionRun } from '../../src/lib/provisioning/run/provisionRun.ts';
import { checkFile } from '../../src/lib/provisioning/steps/checkFile.ts';
import { readOptions } from '../../src/lib/provisioning/steps/readOptions.ts';
import { startJob } from '../../src/lib/provisioning/steps/startJob.ts';
import { HubError, type ImportExportJob, type RegistryClient } from '../../src/lib/registry/index.ts';
import { dropFile, type TestContext, testContext } from './provisioningContext.ts';

export function hubError(code: string, fields: { retryable?: boolean; outcomeUnknown?: boolean } = {}): HubError {
  return new HubError({
    code,
    kind: 'server',
    retryable: fields.retryable ?? false,
    outcomeUnknown: fields.outcomeUnknown ?? false,
    message: `the hub said ${code}`,
  });
}

type Change = 'lostReply' | 'lostBefore' | 'refused' | 'busy';

/** A hub with nothing but jobs, whose replies the test decides. The real wire is for the end-to-end tests. */
class JobHub {
  readonly hubName = 'scripted';
  readonly jobs: ImportExportJob[] = [];
  /** What the next creates do; none left: they work. */
  readonly creates: Change[] = [];
  created: { inputBlobContainerUri: string; outputBlobContainerUri: string }[] = [];
  listing: HubError | undefined;
  cancelling: HubError | undefined;

  /** Done while the hub is asked for its jobs: after the step has read its record, before the create. */
  whenListed: (() => Promise<unknown>) | undefined;

  async listJobs() {
    await this.whenListed?.();
    if (this.listing !== undefined) throw this.listing;
    return [...this.jobs];
  }
  async createImportJob(request: { inputBlobContainerUri: string; outputBlobContainerUri: string }) {
    const change = this.creates.shift();
    if (change === 'refused') throw hubError('ServiceUnavailable', { retryable: true });
    if (change === 'busy') throw hubError('JobQuotaExceeded', { retryable: true });
    if (change === 'lostBefore') throw hubError('Timeout', { retryable: true, outcomeUnknown: true });
    this.created.push(request);
    const job = { jobId: `ours-${this.created.length}`, type: 'import', status: 'running', progress: 0 };
    this.jobs.push(job);
    if (change === 'lostReply') throw hubError('Timeout', { retryable: true, outcomeUnknown: true });
    return job;
  }
  async getJob(jobId: string) {
    return this.jobs.find((job) => job.jobId === jobId);
  }
  async cancelJob(jobId: string) {
    if (this.cancelling !== undefined) throw this.cancelling;
    this.end(jobId, 'cancelled');
  }
  end(jobId: string, status: string): void {
    const at = this.jobs.findIndex((job) => job.jobId === jobId);
    const job = this.jobs[at];
    if (job !== undefined) this.jobs[at] = { ...job, status };
  }
}

export interface CheckedRun {
  readonly context: TestContext;
  readonly hub: JobHub;
  readonly runId: string;
  record(): Promise<ProvisionRun>;
  log(text: string): Promise<void>;
  start(): ReturnType<typeof startJob>;
}

let drops = 0;

const TEXT = '{"id":"d1","importMode":"create"}\n{"id":"d2","importMode":"delete"}\n';

/** A run that was checked: two lines, a create and a delete. */
export async function checkedRun(connectionString: string, metadata: Record<string, string> = {}): Promise<CheckedRun> {
  const hub = new JobHub();
  const context = testContext(connectionString, { hub: hub as unknown as RegistryClient });
  const name = `run${++drops}/devices.txt`;
  const runId = await dropFile(context, name, TEXT, metadata);
  const options = await readOptions(context, { runId });
  const checked = await checkFile(context, { runId });
  if (options.status !== 'ready' || checked.next !== 'job')
    throw new Error(`The run ${runId} has ended before its job.`);
  return {
    context,
    hub,
    runId,
    async record() {
      const record = await context.runs.read(runId);
      if (record === undefined) throw new Error('The record is gone.');
      return record;
    },
    async log(text) {
      await context.storage.runContainer(runId).getBlockBlobClient('importErrors.log').upload(text, text.length);
    },
    start: () => startJob(context, { runId, kind: 'import' }),
  };
}
