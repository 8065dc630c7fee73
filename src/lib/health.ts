import { randomUUID } from 'node:crypto';

import { safeError } from './redact.ts';
import { HubError, type RegistryClient } from './registry/index.ts';
import { roleAction } from './roles.ts';
import type { Storage } from './storage/storage.ts';

export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  /** What is wrong and what to do; absent when all is well. */
  readonly problem?: string;
}

const RIGHTS = ['RegistryRead', 'RegistryWrite', 'ServiceConnect'] as const;
type Right = (typeof RIGHTS)[number];

/** Whether the drop box can be reached. */
export async function checkStorage(storage: Storage, containerName: string): Promise<HealthCheck> {
  const name = `storage ${storage.accountName}`;
  try {
    if (await storage.container(containerName).exists()) return { name, ok: true };
    return {
      name,
      ok: false,
      problem: `The container ${containerName} does not exist: create it, or correct PROVISION_CONTAINER.`,
    };
  } catch (error) {
    return { name, ok: false, problem: safeError(error).message };
  }
}

/** Whether a hub answers, and which of the rights that HubKeeper needs its policy or role lacks. */
export async function checkHub(alias: string, client: RegistryClient): Promise<HealthCheck> {
  const name = `hub ${alias}`;
  try {
    const lacking: Right[] = [];
    let action: string | undefined;
    for (const right of RIGHTS) {
      const refused = await refusalOf(client, right);
      if (refused === undefined) continue;
      lacking.push(right);
      action = refused.action;
    }
    if (lacking.length === 0) return { name, ok: true };
    if (action === roleAction('hub')) {
      return { name, ok: false, problem: `The hub refuses the identity of the app (${lacking.join(', ')}). ${action}` };
    }
    return {
      name,
      ok: false,
      problem:
        lacking.length === RIGHTS.length
          ? 'The hub refuses every request: the key is wrong, or its policy has no rights at all.'
          : `The policy of the connection string lacks ${lacking.join(', ')}.`,
    };
  } catch (error) {
    return { name, ok: false, problem: safeError(error).message };
  }
}

/** What the hub says to who lacks a right; undefined: he has it. */
async function refusalOf(client: RegistryClient, right: Right): Promise<HubError | undefined> {
  try {
    await probes[right](client);
    return undefined;
  } catch (error) {
    // Without a token the hub was not asked, and has refused nothing.
    if (!(error instanceof HubError) || error.code === 'CredentialFailed') throw error;
    if (error.kind === 'unauthorized' || error.kind === 'forbidden') return error;
    if (error.kind === 'notFound') return undefined;
    throw error;
  }
}

/** The cheapest request that needs a right and changes nothing. */
const probes: Readonly<Record<Right, (client: RegistryClient) => Promise<unknown>>> = {
  RegistryRead: (client) => client.getRegistryStatistics(),
  // Nothing has this id: a hub that allows the delete answers 404.
  RegistryWrite: (client) => client.deleteDevice({ deviceId: `hubkeeper-probe-${randomUUID()}` }),
  ServiceConnect: (client) => client.countDevices(),
};
