/** A local stack for a benchmark, and jobs of its hub made and watched by hand, in the way that Azure documents it. */

import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { BlobServiceClient, type ContainerClient, ContainerSASPermissions } from '@azure/storage-blob';

import { type Stack, startStack } from '../local/stack/index.ts';

const POLL_MS = 500;

/** Runs `use` with a local stack that has just started. */
export async function withStack<T>(
  use: (stack: Stack, blobs: BlobServiceClient) => Promise<T>,
  settings: Readonly<Record<string, string>> = {},
): Promise<T> {
  const data = mkdtempSync(path.join(tmpdir(), 'hubkeeper-bench-'));
  const stack = await startStack({ data, settings });
  try {
    return await use(stack, BlobServiceClient.fromConnectionString(stack.storageConnectionString));
  } finally {
    await stack.stop();
    rmSync(data, { recursive: true, force: true });
  }
}

/** Looks twice a second until there is something. */
export async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + 600_000; Date.now() < end; ) {
    await sleep(POLL_MS);
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`Waited 10 minutes in vain for ${what}.`);
}

/** A request of its REST API. @throws Error when it does not succeed */
export async function hubRequest(
  stack: Stack,
  method: string,
  route: string,
  body?: object,
): Promise<Record<string, unknown>> {
  const fields = Object.fromEntries(
    stack.connectionString.split(';').map((field) => {
      const at = field.indexOf('=');
      return [field.slice(0, at), field.slice(at + 1)];
    }),
  );
  const { HostName: host = '', SharedAccessKeyName: policy = '', SharedAccessKey: key = '' } = fields;
  const resource = encodeURIComponent(host);
  const expiry = Math.floor(Date.now() / 1000) + 600;
  const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(`${resource}\n${expiry}`).digest('base64');
  const response = await fetch(`http://${host}${route}?api-version=2021-04-12`, {
    method,
    headers: {
      authorization: `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiry}&skn=${policy}`,
      'content-type': 'application/json',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${route} answered ${response.status}.`);
  return (await response.json()) as Record<string, unknown>;
}

/** With a SAS that lets a hub read and write it. */
export function containerUri(container: ContainerClient): Promise<string> {
  return container.generateSasUrl({
    permissions: ContainerSASPermissions.parse('rwd'),
    expiresOn: new Date(Date.now() + 2 * 60 * 60_000),
  });
}

/** Starts a job and waits for its end. @throws Error when it is not completed */
export async function jobByHand(stack: Stack, job: object): Promise<void> {
  const { jobId } = await hubRequest(stack, 'POST', '/jobs/create', { ...job, storageAuthenticationType: 'keyBased' });
  const status = await until('the job', async () => {
    const seen = await hubRequest(stack, 'GET', `/jobs/${String(jobId)}`);
    return ['completed', 'failed', 'cancelled'].includes(String(seen['status'])) ? seen['status'] : undefined;
  });
  if (status !== 'completed') throw new Error(`The job by hand ended as ${String(status)}.`);
}
