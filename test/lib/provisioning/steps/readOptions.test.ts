import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { readOptions } from '../../../../src/lib/provisioning/steps/readOptions.ts';
import type { RegistryClient } from '../../../../src/lib/registry/index.ts';
import { readText } from '../../../../src/lib/storage/readText.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { dropFile, type TestContext, testContext } from '../../../helpers/provisioningContext.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const KEY = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';
const CONNECTION_STRING = `HostName=h.example;SharedAccessKeyName=iothubowner;SharedAccessKey=${KEY}`;

async function textOf(context: TestContext, container: string, name: string): Promise<string> {
  return (await readText(context.storage.container(container).getBlockBlobClient(name))).text;
}

describe('the options of a drop', () => {
  it.each([
    ['options.json', {}, { confirm: CONNECTION_STRING }],
    ['options.json, by name', {}, { [CONNECTION_STRING]: true }],
    ['metadata', { confirm: CONNECTION_STRING }, undefined],
  ])(
    'that hold a connection string (%s) leave nothing of it in record, report and log',
    async (what, metadata, json) => {
      const context = testContext(azurite.connectionString, { environment: { DROP_SETTLE_SECONDS: '0' } });
      const folder = `secret-${what.replace(/\W/g, '')}`;
      if (json !== undefined) {
        const box = context.storage.container('provision');
        await box.createIfNotExists();
        const text = JSON.stringify(json);
        await box.getBlockBlobClient(`${folder}/options.json`).upload(text, text.length);
      }
      const runId = await dropFile(context, `${folder}/devices.txt`, '{"id":"d1"}\n', {
        ...(json === undefined ? {} : { hubkeeper: '' }),
        ...metadata,
      });
      if (json !== undefined) {
        // As a tool that knows nothing of options drops it.
        await context.storage.container('provision').getBlockBlobClient(`${folder}/devices.txt`).setMetadata({});
        const { etag } = await context.storage
          .container('provision')
          .getBlockBlobClient(`${folder}/devices.txt`)
          .getProperties();
        await context.runs.update(runId, (record) => ({ ...record, drop: { ...record.drop, etag: etag ?? '' } }));
      }
      expect(await readOptions(context, { runId })).toEqual({ status: 'ended' });
      const record = await context.runs.read(runId);
      expect(record).toMatchObject({ state: 'refused', error: { code: 'optionsInvalid' } });
      const texts = [
        await textOf(context, 'hubkeeper-runs', `${runId}.json`),
        await textOf(context, record?.report?.container ?? '', record?.report?.json ?? ''),
        ...context.logged,
      ].join('\n');
      expect(texts).not.toMatch(/AAAAAA|iothubowner|h\.example/);
    },
  );

  it('that name another hub in confirm confirm nothing, and the name is not kept', async () => {
    const hub = { hubName: 'hub1' } as RegistryClient;
    const context = testContext(azurite.connectionString, { hub });
    const other = await dropFile(context, 'other/devices.txt', '{"id":"d1"}\n', { confirm: 'hub2' });
    const same = await dropFile(context, 'same/devices.txt', '{"id":"d1"}\n', { confirm: 'HUB1' });
    expect(await readOptions(context, { runId: other })).toMatchObject({ status: 'ready' });
    expect(await readOptions(context, { runId: same })).toMatchObject({
      status: 'ready',
      hub: 'default',
      ticket: { runId: same, name: 'same/devices.txt' },
    });
    expect((await context.runs.read(other))?.options?.confirm).toBe('(another name)');
    expect((await context.runs.read(same))?.options?.confirm).toBe('HUB1');
  });
});
