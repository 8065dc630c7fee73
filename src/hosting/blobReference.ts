import { createRequire } from 'node:module';

// Required, not imported: the package is CommonJS whose names an import does not see, and @azure/functions must find the
// factory in the very same copy.
const { ResourceFactoryResolver } = createRequire(import.meta.url)(
  '@azure/functions-extensions-base',
) as typeof import('@azure/functions-extensions-base');

const SOURCE = 'AzureStorageBlobs';

/**
 * Lets a blob trigger take a reference instead of the blob's bytes, so that a file of 400 MB does not travel through host
 * and worker only to be ignored. The reference itself is ignored too: the handler goes by the name of the blob.
 */
export function registerBlobReferences(): void {
  const resolver = ResourceFactoryResolver.getInstance();
  if (!resolver.hasResourceFactory(SOURCE)) resolver.registerResourceFactory(SOURCE, () => ({ source: SOURCE }));
}
