import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import { stagingOf } from '../../runs/runContainer.ts';
import type { RunError } from '../../runs/runRecord.ts';
import { readJson } from '../../storage/jsonBlob.ts';
import type { CheckCounts, ProvisioningContext } from '../run/provisionRun.ts';

/** Names in the container of a run. `importErrors.log` is the hub's; the rest is ours. */
export const CHECK_BLOB = 'check.json';

/** The `configurations.txt` of a run as its check found it; part of `check.json`. */
export interface ConfigurationsCheck {
  /** The lines, one `CheckedLine` each, as they were at that moment. */
  readonly blobName: string;
  readonly lines: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly warnings: number;
  readonly sha256: string;
}

/** The result of a check, as `check.json` keeps it. The first attempt to write it wins; later ones take it over. */
export interface CheckResult {
  readonly attempt: string;
  readonly counts: CheckCounts;
  /** Lines handed to the hub. */
  readonly accepted: number;
  /** Of these, lines that may meet an existing identity and leave out what an import would reset. */
  readonly incomplete: number;
  /** Device lines that name a parent. */
  readonly parents: number;
  /** Lines that delete, or that write `disabled` over what may exist. */
  readonly deletes: number;
  readonly disables: number;
  readonly sha256: string;
  /** The `configurations.txt` beside the devices file; absent when there is none. */
  readonly configurations?: ConfigurationsCheck;
  /** Set when the file as a whole is refused although its lines could be read (too many rejects, onInvalidLine abort). */
  readonly refused?: RunError;
}

/** Blobs that one attempt of the check writes; the attempt's id keeps two attempts apart. */
export interface CheckBlobs {
  /** The import job's input: devices first, modules last. Holds keys. */
  readonly devices: BlockBlobClient;
  readonly index: BlockBlobClient;
  /** Which lines leave out what an import would reset, in the order of `devices`. */
  readonly missing: BlockBlobClient;
  /** Which device lines say something of a parent, in the order of `devices`: `ParentRow`s. */
  readonly parents: BlockBlobClient;
  /** Rejected lines as they came, of a CSV file under its header. Holds keys. */
  readonly rejectedLines: BlockBlobClient;
}

export function checkBlobs(container: ContainerClient, attempt: string): CheckBlobs {
  const blob = (name: string) => container.getBlockBlobClient(name);
  return {
    devices: blob(`devices-${attempt}.txt`),
    index: blob(`lines-${attempt}.ndjson`),
    missing: blob(`missing-${attempt}.ndjson`),
    parents: blob(`parents-${attempt}.ndjson`),
    rejectedLines: blob(`rejected-lines-${attempt}.txt`),
  };
}

/** The result of the check of a run; undefined while there is none. */
export async function checkOf(context: ProvisioningContext, runId: string): Promise<CheckResult | undefined> {
  return (await readJson<CheckResult>(stagingOf(context, runId).getBlockBlobClient(CHECK_BLOB)))?.value;
}
