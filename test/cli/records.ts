import type { ProvisionRun } from '../../src/lib/provisioning/run/provisionRun.ts';
import type { Outcome } from '../../src/lib/runs/runRecord.ts';

export const noOutcomes: Readonly<Record<Outcome, number>> = {
  succeeded: 0,
  succeededWithWarning: 0,
  unchanged: 0,
  failed: 0,
  rejected: 0,
  skipped: 0,
  unconfirmed: 0,
};

/** A run of 100 lines that the check has just passed. */
export function runRecord(change: Partial<ProvisionRun> = {}): ProvisionRun {
  return {
    version: 2,
    jobs: {},
    runId: '0123456789abcdef0123',
    kind: 'provision',
    hub: 'default',
    batch: 'monday',
    drop: {
      account: 'devstoreaccount1',
      container: 'provision',
      blobName: 'monday/devices.txt',
      etag: '0x1',
      size: 41_200,
      lastModified: '2026-11-20T10:00:00.000Z',
    },
    state: 'running',
    phase: 'check',
    createdAt: '2026-11-20T10:00:01.000Z',
    updatedAt: '2026-11-20T10:00:02.000Z',
    check: {
      lines: 10_000,
      blankLines: 0,
      bytes: 41_200,
      devices: 9_000,
      modules: 900,
      rejected: 60,
      skipped: 40,
      warnings: 3,
      byMode: { createOrUpdate: 9_900 },
    },
    ...change,
  };
}
