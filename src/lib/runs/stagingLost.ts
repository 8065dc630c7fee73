import { isNotFound } from '../storage/storageErrors.ts';

/** Something that the run had in its container is not there any more. */
export class StagingLost extends Error {
  override readonly name = 'StagingLost';
  /** The blob, or what it holds. */
  readonly what: string;

  constructor(runId: string, what: string) {
    super(`Something that the run ${runId} had in its container is gone: ${what}.`);
    this.what = what;
  }
}

/** What is gone, when an error of a step says so; storage answers 404 for a blob, and for all blobs of a container that goes. */
export function lostOf(error: unknown): string | undefined {
  if (error instanceof StagingLost) return error.what;
  return isNotFound(error) ? 'a blob' : undefined;
}
