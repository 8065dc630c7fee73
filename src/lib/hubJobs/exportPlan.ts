import { HubError } from '../registry/index.ts';
import type { ExportRequest } from '../registryLines/adoptExport.ts';
import type { RunContext } from '../runs/runContext.ts';
import { hubOf, type RunBase } from '../runs/runRecord.ts';
import { containerUri, storageAuthentication } from './jobStorage.ts';
import type { HubJobPlan } from './startHubJob.ts';

/**
 * How long an export may take follows the devices that the hub counts when it is planned, at the pace of all jobs
 * (`jobDeadlineMs`): 2 minutes per 100, at least 2 hours, and at most this, however large the registry is, for one that
 * hangs holds up the hub. Statistics lag, so what the caller knows to be there is the least that is counted. A hub that
 * does not say is taken for a large one.
 */
const LONGEST_EXPORT_MS = 12 * 60 * 60_000;
const UNKNOWN_DEVICES = 1_000_000;

/**
 * An export of the whole registry into the container of the run.
 *
 * @param leastLines as many identities are there at least, as far as the caller knows
 */
export async function exportPlan(
  context: RunContext,
  record: RunBase,
  { blobName: outputBlobName, keys, configurationsBlobName }: ExportRequest,
  { stateBlob, leastLines = 0 }: { readonly stateBlob: string; readonly leastLines?: number },
): Promise<HubJobPlan> {
  const lines = Math.max(leastLines, await devicesOf(context, record));
  return {
    type: 'export',
    stateBlob,
    proofBlob: outputBlobName,
    echoedName: outputBlobName,
    lines,
    longestMs: LONGEST_EXPORT_MS,
    async prepare(expiresOn) {
      const job = {
        outputBlobContainerUri: await containerUri(context, record, 'rwd', expiresOn),
        outputBlobName,
        excludeKeys: keys === 'excluded',
        ...(configurationsBlobName === undefined ? {} : { includeConfigurations: true, configurationsBlobName }),
        ...storageAuthentication(context),
      };
      return (hub) => hub.createExportJob(job);
    },
  };
}

async function devicesOf(context: RunContext, record: RunBase): Promise<number> {
  try {
    return (await context.hub(hubOf(record)).getRegistryStatistics()).totalDeviceCount;
  } catch (error) {
    // Whether the hub can be reached shows when the job is started.
    if (!(error instanceof HubError)) throw error;
    return UNKNOWN_DEVICES;
  }
}
