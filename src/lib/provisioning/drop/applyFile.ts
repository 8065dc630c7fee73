import { HubKeeperError } from '../../errors.ts';
import type { ApplyFile } from '../../runs/applyFile.ts';
import type { RunStarter } from '../../runs/restartRun.ts';
import type { ProvisioningContext } from '../run/provisionRun.ts';
import { runError } from '../texts/runErrors.ts';
import { optionsFromJson } from './dropOptions.ts';
import { startRunOfFile } from './startRun.ts';

/** Applies files by runs like those of drops; the options are known before they begin, and nothing is looked for beside them. */
export function applyFileBy(context: ProvisioningContext, starter: RunStarter): ApplyFile {
  return async ({ kind, hub, container, blobName, options }) => {
    const file = `${container}/${blobName}`;
    if (!context.settings.hubs.has(hub)) {
      const hubs = [...context.settings.hubs.keys()].sort().join(', ');
      throw new HubKeeperError(runError('hubUnknown:applied', { file, hub, hubs }));
    }
    const result = await startRunOfFile(context, starter, {
      hub,
      batch: kind,
      appliedFor: kind,
      options: optionsFromJson(JSON.stringify(options), `the request to apply ${file}`),
      container,
      blobName,
    });
    if (result.runId !== undefined) return result.runId;
    throw new HubKeeperError(runError('dropDeleted:applied', { file }));
  };
}
