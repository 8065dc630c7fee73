import { HubError } from '../http/hubError.ts';
import { jobDocument, readJobRequest } from '../jobs/jobRequest.ts';
import { readBody } from './context.ts';
import { type Operation, param } from './operation.ts';

// The right that jobs need is not documented: an import can delete every device, so the safe reading is RegistryWrite.
const common = { right: 'RegistryWrite', throttle: { kind: 'jobs' } } as const;

/** Import and export jobs (https://learn.microsoft.com/azure/iot-hub/iot-hub-bulk-identity-mgmt). */
export const jobOperations: readonly Operation[] = [
  {
    ...common,
    name: 'createJob',
    method: 'POST',
    path: '/jobs/create',
    handle: async (hub, { body }) => {
      const request = readBody(() => readJobRequest(body));
      const row = await hub.jobs.create(request);
      return { status: 200, body: jobDocument(row, hub.settings.jobEcho) };
    },
  },
  {
    ...common,
    name: 'listJobs',
    method: 'GET',
    path: '/jobs',
    handle: (hub) => ({ status: 200, body: hub.jobs.list().map((row) => jobDocument(row, hub.settings.jobEcho)) }),
  },
  {
    ...common,
    name: 'getJob',
    method: 'GET',
    path: '/jobs/:jobId',
    handle: (hub, request) => {
      const jobId = param(request, 'jobId');
      const row = hub.jobs.find(jobId);
      if (row === undefined) throw new HubError('JobNotFound', `Job '${jobId}' does not exist.`);
      return { status: 200, body: jobDocument(row, hub.settings.jobEcho) };
    },
  },
  {
    ...common,
    name: 'cancelJob',
    method: 'DELETE',
    path: '/jobs/:jobId',
    handle: (hub, request) => {
      // The live hub has been seen to answer 500 for a job that is unknown or has ended.
      if (!hub.jobs.cancel(param(request, 'jobId'))) {
        throw new HubError('ServerError', 'An internal error occurred.');
      }
      return { status: 204 };
    },
  },
];
