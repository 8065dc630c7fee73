import type { Hub } from '../hub.ts';
import type { JobRow } from '../jobs/jobStore.ts';

/** What `GET /state` of the admin server shows. No key, no URI. */
export function adminState(hub: Hub) {
  const jobs = hub.jobs.list();
  const own = (type: JobRow['type']) => jobs.filter((job) => job.foreignJob === 0 && job.type === type).length;
  return {
    name: hub.name,
    ...hub.store.counts(),
    configurations: hub.configurations.count(),
    jobs: {
      importsCreated: own('import'),
      exportsCreated: own('export'),
      foreignCreated: jobs.filter((job) => job.foreignJob === 1).length,
      overlapped: overlapped(jobs, hub.now()),
      list: jobs.map(
        ({ jobId, type, status, foreignJob, createdMs, startedMs, endedMs, progress, lines, failureReason }) => ({
          jobId,
          type,
          status,
          foreign: foreignJob === 1,
          createdMs,
          startedMs,
          endedMs,
          progress,
          lines,
          failureReason,
        }),
      ),
    },
    events: eventState(hub),
    activity: hub.activity.snapshot(),
  };
}

/** The event log and who reads it. */
export function eventState({ events, eventEndpoint }: Hub) {
  return {
    name: events.name,
    partitions: events.partitions(),
    connections: eventEndpoint.connections(),
    receivers: eventEndpoint.receivers().map(({ consumerGroup, partition, epoch, name, position }) => ({
      consumerGroup,
      partition,
      epoch,
      name,
      position,
    })),
  };
}

/** Whether two jobs were ever active at the same time. */
function overlapped(jobs: readonly JobRow[], nowMs: number): boolean {
  const byStart = [...jobs].sort((a, b) => a.createdMs - b.createdMs);
  return byStart.some((job, index) => {
    const previous = byStart[index - 1];
    return previous !== undefined && (previous.endedMs ?? nowMs) > job.createdMs;
  });
}
