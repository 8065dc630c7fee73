import type { WorkRun } from './workRun.ts';

/** Folder of a run in the container of results. */
export function resultFolder({ hub = 'unknown', runId }: Pick<WorkRun, 'hub' | 'runId'>): string {
  return `${hub}/_/${runId}`;
}
