import { setTimeout as sleep } from 'node:timers/promises';
import { withStack } from '../helpers/stack.ts';
import { createSeededRandom } from './seededRandom.ts';

export interface CrashRunResult {
  /** Ids of the file that the registry lacks. */
  readonly missing: readonly string[];
  /** How many devices the registry has that the file has not. */
  readonly unexpected: number;
  readonly importJobs: number;
  readonly state: string;
  readonly succeeded: number | undefined;
}

/**
 * Provisions a file while the host is killed (SIGKILL) at seeded random moments and started again, in unkind mode; then
 * compares the registry with the file over plain REST.
 */
export async function crashRun(options: {
  readonly devices: number;
  readonly kills: number;
  readonly seed: number;
}): Promise<CrashRunResult> {
  const random = createSeededRandom(options.seed);
  const ids = Array.from({ length: options.devices }, (_, i) => `crash-${i}`);
  // The job takes its time, so that kills fall into every phase of the run.
  const jobRate = Math.ceil(options.devices / (options.kills * 2));
  return withStack({ unkind: options.seed, hubArgs: ['--job-rate', String(jobRate)] }, async (stack) => {
    await stack.drop('crash/devices.txt', ids.map((id) => `{"id":"${id}","importMode":"create"}`).join('\n'));
    for (let kill = 0; kill < options.kills; kill++) {
      // From the very first moments, when the run is being started, to the late ones, when it is settled.
      await sleep(Math.floor(random.next() ** 2 * 4_000));
      await stack.killHost();
      await stack.restartHost();
    }
    const record = await stack.finalRecord('crash/devices.txt', 300_000);
    const there = new Set(await stack.deviceIds());
    const missing = ids.filter((id) => !there.delete(id));
    const { jobs } = await stack.hubState();
    return {
      missing,
      unexpected: there.size,
      importJobs: jobs.importsCreated,
      state: record.state,
      succeeded: record.outcomes?.succeeded,
    };
  });
}
