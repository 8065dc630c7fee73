import type { MissingField } from '../../devicesFile/lineVerdict.ts';
import type { Snapshot } from '../../registryLines/snapshot.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import { keepFirst, readJson } from '../../storage/jsonBlob.ts';
import type { Epoch } from '../run/epoch.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';

/** What a run is about to overwrite or delete, as it was, in its container. An earlier version noted less of it. */
export type PreImageManifest = Pick<Snapshot, 'blobName' | 'way'> &
  Partial<Snapshot> & {
    /** It has the modules of devices that are deleted, and the devices below them. An export always has. */
    readonly hasRelatives?: true;
    /** Blob of `ModuleManager`s: of an export, which does not tell who manages a module. */
    readonly managers?: string;
  };

/** The pre-image of an epoch, once it is whole. */
export async function readManifest(
  context: ProvisioningContext,
  { runId }: ProvisionRun,
  epoch: Epoch,
): Promise<PreImageManifest | undefined> {
  const manifest = stagingOf(context, runId).getBlockBlobClient(preImageBlob(epoch));
  return (await readJson<PreImageManifest>(manifest))?.value;
}

/** @throws StagingLost when it was not taken, or is gone */
export async function demandManifest(
  context: ProvisioningContext,
  record: ProvisionRun,
  epoch: Epoch,
): Promise<PreImageManifest> {
  const manifest = await readManifest(context, record, epoch);
  if (manifest === undefined) throw new StagingLost(record.runId, preImageBlob(epoch));
  return manifest;
}

/** Notes that the pre-image of an epoch is whole. The first to say so wins. */
export async function keepManifest(
  context: ProvisioningContext,
  record: ProvisionRun,
  epoch: Epoch,
  preImage: PreImageManifest,
): Promise<PreImageManifest> {
  return keepFirst(stagingOf(context, record.runId).getBlockBlobClient(preImageBlob(epoch)), preImage);
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

export const preImageBlob = (epoch: Epoch) => `pre-image-${epoch}.json`;
export const fillBlob = (epoch: Epoch) => `fill-${epoch}.json`;
