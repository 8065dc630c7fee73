import type { RunKind } from './runRecord.ts';

/** A file of lines that is to be applied to a hub. */
export interface FileToApply {
  /** The kind of work that it is applied for. */
  readonly kind: RunKind;
  /** Alias of the hub. */
  readonly hub: string;
  /** The blob, in the format of a devices file; a name that ends in `.csv` or `.csv.gz` says CSV. */
  readonly container: string;
  readonly blobName: string;
  /** As `options.json` has them. */
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * The one door by which lines are applied to a hub, whatever work has made them: with all that a dropped file has, its
 * check, turn, pre-image, job, retries, verification and report.
 *
 * Applied again, the same version of the blob has the same run, which is begun once; so a step that died may call it again.
 *
 * @returns the id of the run
 * @throws HubKeeperError when the options cannot be taken, no such hub is configured, or the blob is not there
 */
export type ApplyFile = (file: FileToApply) => Promise<string>;
