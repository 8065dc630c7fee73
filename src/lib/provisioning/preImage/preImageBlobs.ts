import type { MissingField } from '../../devicesFile/lineVerdict.ts';
import type { Snapshot } from '../../registryLines/snapshot.ts';
import type { Epoch } from '../run/epoch.ts';

/** What a run is about to overwrite or delete, as it was, in its container. An earlier version noted less of it. */
export type PreImageManifest = Pick<Snapshot, 'blobName' | 'way'> & Partial<Snapshot>;

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
