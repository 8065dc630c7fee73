import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ProvisionOptions } from '../../../../src/lib/provisioning/run/options.ts';
import { asksForNewKeys, withKeysBefore } from '../../../../src/lib/provisioning/verify/newKeys.ts';
import { openSnapshot } from '../../../../src/lib/registryLines/snapshot.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { testContext } from '../../../helpers/provisioningContext.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const options = (missingKeys: ProvisionOptions['missingKeys']) => ({ missingKeys }) as ProvisionOptions;
const keys = (primaryKey: string) => ({ authentication: { type: 'sas', symmetricKey: { primaryKey } } });

it.each([
  [{ id: 'd', importMode: 'update' }, true],
  [{ id: 'd' }, true],
  [{ id: 'd', authentication: { type: 'SAS' } }, true],
  [{ id: 'd', importMode: 'create' }, false],
  [{ id: 'd', importMode: 'updateTwin' }, false],
  [{ id: 'd', authentication: { type: 'certificateAuthority' } }, false],
  [{ id: 'd', ...keys('k') }, false],
])('whether %j asks for new keys: %s, and only when keys are to be made anew', (line, asks) => {
  expect(asksForNewKeys(line, options('regenerate'))).toBe(asks);
  expect(asksForNewKeys(line, options('keep'))).toBe(false);
});

it('lines get the key that their device had before; without a pre-image nothing tells', async () => {
  const context = testContext(azurite.connectionString);
  const container = context.storage.container('new-keys');
  await container.createIfNotExists();
  const blob = container.getBlockBlobClient('pre-image.txt');
  const text = `a warning in plain text\n${JSON.stringify({ id: 'd1', ...keys('before') })}\n{"id":"d3"}\n`;
  await blob.upload(text, text.length);
  const preImage = openSnapshot(container, { blobName: blob.name });
  const lines = async function* () {
    yield* [{ id: 'd1' }, { id: 'd1', moduleId: 'm' }, { id: 'd2' }, { id: 'd3' }].map((line) => JSON.stringify(line));
  };
  expect(await Array.fromAsync(withKeysBefore(lines(), preImage))).toEqual([
    { id: 'd1', keyBefore: 'before' },
    { id: 'd1', moduleId: 'm' },
    { id: 'd2' },
    { id: 'd3', keyBefore: '' },
  ]);
  expect(await Array.fromAsync(withKeysBefore(lines(), undefined))).toEqual([]);
});
