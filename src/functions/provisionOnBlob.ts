/** A file that lands starts its run. */

import { app } from '@azure/functions';
import { input } from 'durable-functions';

import { settings } from '../appSettings.ts';
import { registerBlobReferences } from '../hosting/blobReference.ts';

if (settings.blobBinding === 'reference') registerBlobReferences();

app.storageBlob('provisionOnBlob', {
  path: `${settings.provisionContainer}/{name}`,
  connection: settings.storageConnectionName,
  source: settings.blobTriggerSource,
  ...(settings.blobBinding === 'reference' ? { sdkBinding: true } : {}),
  extraInputs: [input.durableClient()],
  handler: async (content, context) =>
    (await import('../handlers/provisionOnBlob.ts')).provisionOnBlob(content, context),
});
