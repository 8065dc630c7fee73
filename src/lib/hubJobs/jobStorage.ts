/** The container of a run, as the hub reaches it for a job. */

import { stagingOf } from '../runs/runContainer.ts';
import type { RunContext } from '../runs/runContext.ts';
import type { RunBase } from '../runs/runRecord.ts';
import { containerUriWithSas } from '../storage/containerSas.ts';

export function storageAuthentication({ settings }: RunContext) {
  if (settings.storageAuth === 'sas') return { storageAuthenticationType: 'keyBased' as const };
  return {
    storageAuthenticationType: 'identityBased' as const,
    ...(settings.storageIdentity === undefined ? {} : { identity: { userAssignedIdentity: settings.storageIdentity } }),
  };
}

/** The container of the run for the hub: with a signature, or bare where the hub comes with its identity. */
export async function containerUri(
  context: RunContext,
  { runId }: Pick<RunBase, 'runId'>,
  permissions: string,
  expiresOn: Date,
): Promise<string> {
  const container = stagingOf(context, runId);
  if (context.settings.storageAuth === 'identity') return container.url;
  return containerUriWithSas(context.storage, container, { permissions, now: context.now(), expiresOn });
}
