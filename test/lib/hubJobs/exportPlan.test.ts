import { describe, expect, it } from 'vitest';
import { exportPlan } from '../../../src/lib/hubJobs/exportPlan.ts';
import { jobDeadlineMs, planTimeMs } from '../../../src/lib/hubJobs/startHubJob.ts';
import type { ProvisionRun } from '../../../src/lib/provisioning/run/provisionRun.ts';
import { HubError, type RegistryClient } from '../../../src/lib/registry/index.ts';
import { testContext } from '../../helpers/provisioningContext.ts';

const HOUR_MS = 3_600_000;
const record = { runId: '0123456789abcdef0123', hub: 'default' } as ProvisionRun;

function contextOf(devices: number | 'silent') {
  const hub = {
    async getRegistryStatistics() {
      if (devices !== 'silent') return { totalDeviceCount: devices };
      const fields = { code: 'Timeout', kind: 'timeout', retryable: true, outcomeUnknown: false, message: 'no answer' };
      throw new HubError(fields as ConstructorParameters<typeof HubError>[0]);
    },
  };
  return testContext('UseDevelopmentStorage=true', { hub: hub as unknown as RegistryClient });
}

describe('how long an export may take', () => {
  it.each([
    ['a small registry', 10, 5, 2],
    ['one whose devices the statistics do not show yet', 0, 9_000, 3],
    ['9,000 devices', 9_000, 5, 3],
    ['a million devices', 1_000_000, 5, 12],
    ['a registry that nobody counts', 'silent', 5, 12],
  ] as const)('follows the registry: %s', async (_what, devices, accepted, hours) => {
    const context = contextOf(devices);
    const request = { blobName: 'registry.txt', keys: 'included' } as const;
    const plan = await exportPlan(context, record, request, { stateBlob: 'export-job.json', leastLines: accepted });
    expect(planTimeMs(plan)).toBe(hours * HOUR_MS);
  });

  it('is no measure for an import, which must be waited for', () => {
    expect(jobDeadlineMs(1_000_000)).toBe(7 * 24 * HOUR_MS);
  });
});
