import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type HubSettings, startHub } from '../../local/hub/index.ts';
import type { ProvisionRun } from '../../src/lib/provisioning/run/provisionRun.ts';
import { createRegistryClient, parseHubConnection, type RegistryClient } from '../../src/lib/registry/index.ts';
import { type HubRest, hubRest } from './hubRest.ts';
import { runInProcess } from './inProcessRun.ts';
import { dropFile, type TestContext, testContext } from './provisioningContext.ts';

/** A simulated hub of its own, and runs on it in this process. */
export interface SimulatedHub {
  readonly client: RegistryClient;
  readonly context: TestContext;
  /** By no code of the app. */
  readonly rest: HubRest;
  /** Folder of the registry's database, for `readRegistry`. */
  readonly data: string;
  /** Has the simulator fail as its admin endpoint describes. */
  setFaults(faults: readonly object[]): Promise<void>;
  /** Changes its settings while it runs. */
  setOptions(options: Partial<HubSettings>): Promise<void>;
  /** Provisions lines to the end, whatever that is. */
  provision(
    lines: readonly object[],
    metadata?: Readonly<Record<string, string>>,
    configurations?: readonly object[],
  ): Promise<ProvisionRun>;
}

let drops = 0;

/** @param wrap what the runs see of the hub */
export async function withSimulatedHub<Result>(
  storageConnection: string,
  work: (hub: SimulatedHub) => Promise<Result>,
  wrap: (client: RegistryClient) => RegistryClient = (client) => client,
): Promise<Result> {
  const data = await mkdtemp(join(tmpdir(), 'simulated-'));
  const simulator = await startHub({ data: join(data, 'hub'), jobEnqueueMs: 0 });
  try {
    const client = createRegistryClient(parseHubConnection(simulator.connectionString), { retryDelayMs: 5 });
    const context = testContext(storageConnection, { hub: wrap(client) });
    const put = async (name: string, lines: readonly object[]) => {
      const text = linesText(lines);
      const box = context.storage.container('provision');
      await box.createIfNotExists();
      await box.getBlockBlobClient(name).upload(text, Buffer.byteLength(text));
    };
    return await work({
      client,
      context,
      rest: hubRest(simulator.connectionString),
      data,
      async setFaults(faults) {
        await fetch(`${simulator.adminUrl}/faults`, { method: 'POST', body: JSON.stringify(faults) });
      },
      async setOptions(options) {
        await fetch(`${simulator.adminUrl}/options`, { method: 'PATCH', body: JSON.stringify(options) });
      },
      async provision(lines, metadata, configurations) {
        const folder = `simulated${process.pid}-${++drops}`;
        if (configurations !== undefined) await put(`${folder}/configurations.txt`, configurations);
        const runId = await dropFile(context, `${folder}/devices.txt`, linesText(lines), metadata);
        const { failures } = await runInProcess(context, runId, async () => undefined);
        const record = await context.runs.read(runId);
        if (failures.length > 0 || record === undefined) throw new Error(`The run did not end: ${failures.join('; ')}`);
        return record;
      },
    });
  } finally {
    await simulator.close();
    await rm(data, { recursive: true, force: true });
  }
}

export function linesText(lines: readonly object[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
