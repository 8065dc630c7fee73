/** A simulated hub for the tests of extras, and limits that grant all. */

import { type RunningHub, startHub } from '../../../local/hub/index.ts';
import { createRegistryClient, parseHubConnection, type RegistryClient } from '../../../src/lib/registry/index.ts';
import type { WorkLimits } from '../../../src/lib/registryExtras/hubWork.ts';

export interface ExtrasHub {
  readonly hub: RegistryClient;
  /** Sets faults, as the admin server of the simulator takes them. */
  faults(...faults: readonly object[]): Promise<void>;
  close(): Promise<void>;
}

export async function startExtrasHub(): Promise<ExtrasHub> {
  const simulator: RunningHub = await startHub();
  return {
    hub: createRegistryClient(parseHubConnection(simulator.connectionString), { retryDelayMs: 1 }),
    async faults(...faults) {
      const { status } = await fetch(`${simulator.adminUrl}/faults`, { method: 'DELETE' });
      if (status >= 300) throw new Error(`faults cannot be cleared: ${status}`);
      if (faults.length === 0) return;
      const set = await fetch(`${simulator.adminUrl}/faults`, { method: 'POST', body: JSON.stringify(faults) });
      if (set.status >= 300) throw new Error(`faults cannot be set: ${set.status} ${await set.text()}`);
    },
    close: () => simulator.close(),
  };
}

export function limits(changes: Partial<WorkLimits> = {}): WorkLimits {
  return {
    atMost: 1_000,
    until: new Date('2026-11-20T12:00:00Z'),
    now: () => new Date('2026-11-20T11:00:00Z'),
    sleep: () => Promise.resolve(),
    ...changes,
  };
}

/** Calls of a client, by name, as they are made. */
export function watched(hub: RegistryClient, calls: string[]): RegistryClient {
  return new Proxy(hub, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]) => {
        calls.push(String(name));
        return Reflect.apply(member, target, given) as unknown;
      };
    },
  });
}
