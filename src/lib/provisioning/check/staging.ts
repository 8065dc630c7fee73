import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob';

import type { MissingField } from '../../devicesFile/checkLine.ts';
import type { ProvisioningContext } from '../../runs/runContext.ts';
import type { CheckCounts, RunError } from '../../runs/runRecord.ts';
import { ensureContainer } from '../../storage/ensureContainer.ts';
import { readJson } from '../../storage/jsonBlob.ts';
import { storageCode } from '../../storage/storageErrors.ts';
import type { ConfigurationsCheck } from '../configurations/configurationsStaging.ts';
import type { PreImageRound } from '../preImage/preImageRound.ts';

/** Names in the container of a run. `importErrors.log` is the hub's; the rest is ours. */
export const CHECK_BLOB = 'check.json';
export const IMPORT_JOB_BLOB = 'job.json';
export const SETTLEMENT_BLOB = 'settlement.json';
export const ROUNDS_BLOB = 'rounds.json';
export const RETRY_JOB_BLOB = 'retry-job.json';
/** @param exportTry from 1 */
export const verifyJobBlob = (exportTry: number): string => `verify-job-${exportTry}.json`;
export const PARENTS_JOB_BLOB = 'parents-job.json';
/** The error log of the first import job, kept when a second one is to write its own under the hub's fixed name. */
export const FIRST_ERROR_LOG_BLOB = 'first-importErrors.log';
/** The hub writes its error log under this fixed name at the root of the output container (Azure IoT SDK samples). */
export const ERROR_LOG_BLOB = 'importErrors.log';

/** Names of what each round of the pre-image has for itself. */
export const exportJobBlob = (round: PreImageRound) => `export-job-${round}.json`;
export const preImageBlob = (round: PreImageRound) => `pre-image-${round}.json`;
export const fillBlob = (round: PreImageRound) => `fill-${round}.json`;

/** The result of a check, as `check.json` keeps it. The first attempt to write it wins; later ones take it over. */
export interface CheckResult {
  readonly attempt: string;
  readonly counts: CheckCounts;
  /** Lines handed to the hub. */
  readonly accepted: number;
  /** So many rows of the index are in the order of the file; after them come late ones, in order too. Absent: all. */
  readonly inOrder?: number;
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

/** What a run is about to overwrite or delete, as it was. */
export interface PreImageManifest {
  /** A devices file with keys, in the container of the run. */
  readonly blobName: string;
  /** `export`: the whole registry, not only what the run touches. */
  readonly way: 'single' | 'export';
  /** How many identities it holds; unknown for an export. */
  readonly identities?: number;
}

/** The lines with what they left out filled in from the pre-image. */
export interface FillManifest {
  readonly blobName: string;
  /** In how many lines each field was filled in. */
  readonly kept?: Readonly<Partial<Record<MissingField, number>>>;
  /** How many lines were merged into the twin that was read, and apply to that twin alone. */
  readonly merged?: number;
  /** Patches of twins that take away what had to go; a hub that merges would let it be. */
  readonly removals?: { readonly blobName: string; readonly lines: number };
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

export function stagingOf(context: ProvisioningContext, runId: string): ContainerClient {
  return context.storage.runContainer(runId);
}

const DELETED_TRIES = 30;
const DELETED_PAUSE_MS = 2_000;

/** The container of the run, made if it is not there; one that was just deleted cannot be made anew for a while. */
export async function openStaging(context: ProvisioningContext, runId: string): Promise<ContainerClient> {
  const container = stagingOf(context, runId);
  for (let tries = 1; ; tries++) {
    try {
      await ensureContainer(container);
      return container;
    } catch (error) {
      if (storageCode(error) !== 'ContainerBeingDeleted' || tries === DELETED_TRIES) throw error;
      await context.sleep(DELETED_PAUSE_MS);
    }
  }
}

/** The result of the check of a run; undefined while there is none. */
export async function checkOf(context: ProvisioningContext, runId: string): Promise<CheckResult | undefined> {
  return (await readJson<CheckResult>(stagingOf(context, runId).getBlockBlobClient(CHECK_BLOB)))?.value;
}
