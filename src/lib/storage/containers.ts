/** Containers besides the drop box, whose name is a setting. */
export const RESULTS_CONTAINER = 'provision-results';
export const RUNS_CONTAINER = 'hubkeeper-runs';
export const BACKUPS_CONTAINER = 'registry-backups';
/** Of the mirror: positions, parked events, dead letters, counts. */
export const MIRROR_CONTAINER = 'hubkeeper-mirror';
const RUN_CONTAINER_PREFIX = 'hubkeeper-run-';

export function containerOfRun(runId: string): string {
  return `${RUN_CONTAINER_PREFIX}${runId}`;
}

/** The run id in the name of a staging container, or undefined for any other container. */
export function runIdOfContainer(name: string): string | undefined {
  return name.startsWith(RUN_CONTAINER_PREFIX) ? name.slice(RUN_CONTAINER_PREFIX.length) : undefined;
}
