import type { ContainerClient } from '@azure/storage-blob';
import { downloadNote } from '../blob/download.ts';

/** What the host remembers of a timer between its runs; times as ISO texts. */
export interface TimerStatus {
  readonly Last: string;
  readonly Next: string;
  readonly LastUpdated: string;
}

/** `Last` of a timer that has not run yet: .NET's smallest date. */
export const neverRun = '0001-01-01T00:00:00+00:00';

export interface TimerStatusStore {
  read(functionName: string): Promise<TimerStatus | undefined>;
  write(functionName: string, status: TimerStatus): Promise<void>;
}

/** Status blobs where the real host has them: `timers/{hostId}/Host.Functions.<name>/status` in `azure-webjobs-hosts`. */
export function createTimerStatusStore(hosts: ContainerClient, hostId: string): TimerStatusStore {
  const blob = (functionName: string) =>
    hosts.getBlockBlobClient(`timers/${hostId}/Host.Functions.${functionName}/status`);
  return {
    async read(functionName) {
      const { Last, Next, LastUpdated } = (await downloadNote(blob(functionName))) ?? {};
      const isTime = (value: unknown): value is string => typeof value === 'string' && !Number.isNaN(Date.parse(value));
      return isTime(Last) && isTime(Next) && isTime(LastUpdated) ? { Last, Next, LastUpdated } : undefined;
    },
    async write(functionName, status) {
      await hosts.createIfNotExists();
      const text = JSON.stringify(status);
      await blob(functionName).upload(text, Buffer.byteLength(text), {
        blobHTTPHeaders: { blobContentType: 'application/json' },
      });
    },
  };
}
