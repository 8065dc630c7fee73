import type { ContainerClient } from '@azure/storage-blob';
import type { Faults } from '../faults.ts';
import { unquote } from '../http/etag.ts';
import { HubError } from '../http/hubError.ts';
import type { HubSettings } from '../hubOptions.ts';
import { JobFailure } from '../jobs/jobFailure.ts';
import { parseJsonLine } from '../jobs/jobLine.ts';
import type { JobStore } from '../jobs/jobStore.ts';
import type { IdentityStore } from '../registry/identityStore.ts';
import { type ConfigurationContext, createConfiguration, replaceConfiguration } from './configurationRules.ts';
import { type ConfigurationRow, type ConfigurationStore, configurationEtag } from './configurationStore.ts';
import { type ConfigurationInput, readConfiguration } from './configurationWire.ts';

export interface ConfigurationImport {
  readonly jobId: string;
  readonly container: ContainerClient;
  readonly blobName: string;
  readonly store: IdentityStore;
  readonly configurations: ConfigurationStore;
  readonly jobs: JobStore;
  readonly settings: HubSettings;
  readonly faults: Faults;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** A hub has some hundred configurations at most: their blob is small. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Applies configurations.txt, one configuration a line; the only mode is createOrUpdateIfMatchETag. Everything is
 * committed together, so that a job that was killed never meets its own work.
 */
export async function importConfigurations(input: ConfigurationImport): Promise<void> {
  const blob = input.container.getBlobClient(input.blobName);
  const { contentLength = 0 } = await blob.getProperties({ abortSignal: input.signal });
  if (contentLength > MAX_BYTES) throw new JobFailure(`The configurations blob has more than ${MAX_BYTES} bytes.`);
  const text =
    contentLength === 0 ? '' : (await blob.downloadToBuffer(0, undefined, { abortSignal: input.signal })).toString();
  input.store.transaction(() => {
    for (const line of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
      if (line.trim() !== '') applyConfigurationLine(input, line);
    }
    input.jobs.change(input.jobId, { configurationsDone: 1 });
  });
}

function applyConfigurationLine(input: ConfigurationImport, text: string): void {
  let configuration: (ConfigurationInput & { readonly etag: string | undefined }) | undefined;
  try {
    configuration = parseJsonLine(text, 'configuration', readConfiguration);
    const { etag, ...wanted } = configuration;
    const fault = input.faults.forItem('importConfiguration', { deviceId: wanted.id });
    if (fault?.effect === 'before') throw fault.error;
    const context = {
      configurations: input.configurations,
      maxConfigurations: input.settings.maxConfigurations,
      nowMs: input.now(),
    };
    const row = input.configurations.find(wanted.id);
    if (row === undefined) createConfiguration(context, wanted);
    else replaceMatching(context, row, { ...wanted, etag });
    if (fault?.effect === 'after') throw fault.error;
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    const entry = {
      ...(configuration && { configurationId: configuration.id }),
      errorCode: error.number,
      errorStatus: error.message,
    };
    input.jobs.addError(input.jobId, 'configuration', JSON.stringify(entry));
  }
}

/** What a line without an ETag does to a configuration that exists is not documented: taken as a mismatch. */
function replaceMatching(
  context: ConfigurationContext,
  row: ConfigurationRow,
  { etag, ...wanted }: ConfigurationInput & { readonly etag: string | undefined },
): void {
  const given = etag === undefined ? undefined : unquote(etag);
  if (given !== '*' && given !== configurationEtag(row)) {
    throw new HubError('PreconditionFailed', 'PreconditionFailed, ETag may be invalid.');
  }
  replaceConfiguration(context, row, wanted);
}
