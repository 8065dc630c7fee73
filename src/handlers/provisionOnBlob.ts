/** A file that lands starts its run. */

import type { InvocationContext } from '@azure/functions';
import { runStarter } from '../hosting/runStarter.ts';
import { startRunOfDrop } from '../lib/provisioning/drop/startRun.ts';
import { whyNoDrop } from '../lib/provisioning/drop/whyNoDrop.ts';
import { provisioning } from '../services.ts';

/** A file landed in the drop box: its run is started, unless it has one. */
export async function provisionOnBlob(_content: unknown, context: InvocationContext): Promise<void> {
  const services = provisioning(context);
  const path = String(context.triggerMetadata?.['blobTrigger'] ?? '');
  // "container/name": the first argument is never looked at, and neither are the blob's properties as the host spells them.
  const blobName = path.slice(path.indexOf('/') + 1);
  const result = await startRunOfDrop(services, runStarter(context), blobName);
  if (result.started) services.log.log('info', `run ${result.runId} started`);
  else if (result.reason === 'notADrop') {
    services.log.log('info', `${blobName} makes no run. ${whyNoDrop(blobName) ?? 'It goes with a devices file.'}`);
  } else {
    services.log.log(
      'info',
      `no run started: ${result.reason}${result.runId === undefined ? '' : ` (run ${result.runId})`}`,
    );
  }
}
