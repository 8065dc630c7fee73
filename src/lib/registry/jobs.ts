/** Import and export jobs: the registry to and from blobs. A hub runs one of them at a time. */

import { defined } from '../defined.ts';
import { redact } from '../redact.ts';
import { asInstant, asNumber, asObject, asText } from './reader.ts';
import { getRequest, readIfThere, readList, readReply, writeRequest } from './requests.ts';
import type { CallOptions, HubRequest, Transport } from './transport.ts';
import type { WireJobRequest } from './wire.ts';

interface JobStorage {
  /** `keyBased` (default): the container URIs carry a SAS. `identityBased`: the hub uses its managed identity. */
  readonly storageAuthenticationType?: 'keyBased' | 'identityBased';
  /** With `identityBased`; absent: the hub's system-assigned identity. */
  readonly identity?: { readonly userAssignedIdentity: string };
  /** Configurations travel too; devices always do. */
  readonly includeConfigurations?: boolean;
  /** Default `configurations.txt`. */
  readonly configurationsBlobName?: string;
}

export interface ImportJobRequest extends JobStorage {
  /** Needs read. */
  readonly inputBlobContainerUri: string;
  /** Default `devices.txt`. */
  readonly inputBlobName?: string;
  /** Where `importErrors.log` goes. Needs read, write and delete: the hub removes an older log first. */
  readonly outputBlobContainerUri: string;
}

export interface ExportJobRequest extends JobStorage {
  /** Needs read, write and delete. */
  readonly outputBlobContainerUri: string;
  /** Default `devices.txt`. */
  readonly outputBlobName?: string;
  /** Default false. True makes the first line of the blob a plain-text warning. */
  readonly excludeKeys?: boolean;
}

/** A job as the hub shows it. Live hubs do not echo containers and blob names. */
export interface ImportExportJob {
  readonly jobId: string;
  /** `import`, `export`, or another kind that the hub's job list may hold. */
  readonly type: string;
  /** enqueued, running, completed, failed, cancelled, scheduled, queued, unknown. */
  readonly status: string;
  /** 0–100. */
  readonly progress?: number;
  readonly startTimeUtc?: string;
  readonly endTimeUtc?: string;
  /** Redacted. An import ends `completed` without a reason even when lines failed. */
  readonly failureReason?: string;
  readonly inputBlobName?: string;
  readonly outputBlobName?: string;
  /** Without their query: a signature goes no further. */
  readonly inputBlobContainerUri?: string;
  readonly outputBlobContainerUri?: string;
}

export interface JobOperations {
  /** Never repeated by the client: a lost reply may hide a job that runs. Kind `busyJob` while another job runs. */
  createImportJob(job: ImportJobRequest, options?: CallOptions): Promise<ImportExportJob>;
  createExportJob(job: ExportJobRequest, options?: CallOptions): Promise<ImportExportJob>;
  /** The job, or undefined when the hub does not know it (it forgets jobs after 30 days). */
  getJob(jobId: string, options?: CallOptions): Promise<ImportExportJob | undefined>;
  listJobs(options?: CallOptions): Promise<readonly ImportExportJob[]>;
  /** Hubs may answer 500 for jobs that ended long ago. The job as the hub shows it then, if it shows it. */
  cancelJob(jobId: string, options?: CallOptions): Promise<ImportExportJob | undefined>;
}

export function createJobOperations(transport: Transport): JobOperations {
  const create = (body: WireJobRequest, options: CallOptions): Promise<ImportExportJob> => {
    const request: HubRequest = {
      operation: `start an ${body.type} job`,
      method: 'POST',
      path: ['jobs', 'create'],
      body,
      writes: true,
      retry: 'never',
      options,
    };
    return readReply(transport, request, parseJob, 'job');
  };
  return {
    createImportJob: (job, options = {}) => create({ type: 'import', ...job }, options),
    createExportJob: ({ excludeKeys, ...job }, options = {}) =>
      create({ type: 'export', ...job, ...defined({ excludeKeysInExport: excludeKeys }) }, options),
    async getJob(jobId, options = {}) {
      const request = getRequest(`read the job ${jobId}`, ['jobs', jobId], options);
      return readIfThere(transport, request, parseJob, 'job', ['JobNotFound']);
    },
    async listJobs(options = {}) {
      return readList(transport, getRequest('list jobs', ['jobs'], options), parseJob);
    },
    async cancelJob(jobId, options = {}) {
      const how = { method: 'DELETE', path: ['jobs', jobId], options } as const;
      return parseJob((await transport.send(writeRequest(`cancel the job ${jobId}`, how))).body);
    },
  };
}

function parseJob(value: unknown): ImportExportJob | undefined {
  const body = asObject(value);
  const jobId = asText(body?.jobId);
  if (body === undefined || jobId === undefined) return undefined;
  const failureReason = asText(body.failureReason);
  return {
    jobId,
    type: asText(body.type) ?? 'unknown',
    status: asText(body.status) ?? 'unknown',
    ...defined({
      progress: asNumber(body.progress),
      startTimeUtc: asInstant(body.startTimeUtc),
      endTimeUtc: asInstant(body.endTimeUtc),
      failureReason: failureReason && redact(failureReason),
      inputBlobName: asText(body.inputBlobName),
      outputBlobName: asText(body.outputBlobName),
      inputBlobContainerUri: withoutQuery(asText(body.inputBlobContainerUri)),
      outputBlobContainerUri: withoutQuery(asText(body.outputBlobContainerUri)),
    }),
  };
}

function withoutQuery(uri: string | undefined): string | undefined {
  return uri?.split(/[?#]/, 1)[0];
}
