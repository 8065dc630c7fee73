import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkOf } from '../../../../src/lib/provisioning/check/checkResult.ts';
import { fillMissing } from '../../../../src/lib/provisioning/preImage/fillMissing.ts';
import { preImageBlob } from '../../../../src/lib/provisioning/preImage/preImageBlobs.ts';
import { checkFile } from '../../../../src/lib/provisioning/steps/checkFile.ts';
import { readOptions } from '../../../../src/lib/provisioning/steps/readOptions.ts';
import type { RegistryClient } from '../../../../src/lib/registry/index.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { dropFile, testContext } from '../../../helpers/provisioningContext.ts';

let azurite: Azurite;
let drops = 0;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

/** The lines of a file after they were filled from a pre-image, and the patches that take away what had to go. */
async function filled(file: readonly string[], before: readonly string[], mostFound?: number) {
  const hub = { getRegistryStatistics: () => Promise.resolve({ totalDeviceCount: 5 }) } as unknown as RegistryClient;
  const context = testContext(azurite.connectionString, { hub });
  const runId = await dropFile(context, `fill${++drops}/devices.txt`, file.join('\n'));
  await readOptions(context, { runId });
  await checkFile(context, { runId });
  const staging = context.storage.runContainer(runId);
  const upload = (name: string, text: string) => staging.getBlockBlobClient(name).uploadData(Buffer.from(text));
  await upload('before.txt', before.join('\r\n'));
  await upload(preImageBlob('1.1'), JSON.stringify({ blobName: 'before.txt', way: 'export' }));
  const record = await context.runs.read(runId);
  const check = await checkOf(context, runId);
  if (record === undefined || check === undefined) throw new Error('The run has not been checked.');
  const manifest = await fillMissing(context, record, check, '1.1', mostFound);
  const read = async (name: string) => {
    const text = (await staging.getBlockBlobClient(name).downloadToBuffer()).toString().trimEnd();
    return text.split('\n');
  };
  return {
    manifest,
    lines: await read(manifest.blobName),
    removals: manifest.removals === undefined ? [] : await read(manifest.removals.blobName),
    again: await fillMissing(context, record, check, '1.1'),
  };
}

const WHOLE =
  '"status":"enabled","statusReason":"","authentication":{"type":"certificateAuthority"},"capabilities":{"iotEdge":false}';

describe('lines and what is there of their devices', () => {
  it('come together in the order of the file, modules and devices each for themselves', async () => {
    const { manifest, lines, removals, again } = await filled(
      [
        '{"id":"d2","importMode":"updateTwin","status":"enabled","tags":{"n":null}}',
        '{"id":"d1","moduleId":"m","importMode":"updateTwin","status":"enabled","tags":{"n":2.0}}',
        `{"id":"d1",${WHOLE},"tags":{"b":1.0}}`,
        '{"id":"new","importMode":"update","status":"disabled","tags":{"b":1.0}}',
        '{"id":"d3","importMode":"update","tags":{"a":1.0,"10":"x","2":"y"}}',
        '{"id":"d4","importMode":"delete"}',
      ],
      [
        'keys are in here',
        '{"id":"d1","eTag":"MQ==","status":"enabled","twinETag":"AAE=","tags":{"a":1,"b":2}}',
        '{"moduleId":"m","id":"d1","eTag":"Mg==","twinETag":"AAI=","tags":{"10":0,"2":1.0}}',
        '{"id":"d2","eTag":"Mw==","twinETag":"AAM=","tags":{"n":{"o":1}},"properties":{"desired":{"x":1}}}',
        '{"id":"d3","eTag":"NA==","status":"disabled","statusReason":"stolen","authentication":{"type":"sas"},"tags":{}}',
        '{"id":"d4","eTag":"NQ==","tags":{"a":1}}',
      ],
    );
    expect(lines).toEqual([
      '{"id":"d2","importMode":"updateTwinIfMatchETag","status":"enabled","tags":{},"twinETag":"AAM="}',
      `{"id":"d1",${WHOLE},"tags":{"b":1.0}}`,
      '{"id":"new","importMode":"update","status":"disabled","tags":{"b":1.0}}',
      '{"status":"disabled","id":"d3","importMode":"update","tags":{"a":1.0,"10":"x","2":"y"},"authentication":{"type":"sas"},"statusReason":"stolen","eTag":"NA=="}',
      '{\t"status":"enabled","id":"d4","importMode":"delete"}',
      '{"id":"d1","moduleId":"m","importMode":"updateTwinIfMatchETag","status":"enabled","tags":{"10":0,"2":1.0,"n":2.0},"twinETag":"AAI="}',
    ]);
    expect(removals).toEqual([
      '{"id":"d2","importMode":"updateTwin","tags":{"n":null}}',
      '{"id":"d1","tags":{"a":null}}',
    ]);
    expect(manifest).toMatchObject({ merged: 2, kept: { authentication: 1, status: 1, statusReason: 1 } });
    expect(manifest.removals?.lines).toBe(2);
    expect(again).toEqual(manifest);
  });

  it('are merged too when the key of a section is written with escapes', async () => {
    const { lines, removals } = await filled(
      ['{"id":"d1","importMode":"updateTwin","status":"enabled","\\u0074ags":{"n":null}}'],
      ['{"id":"d1","eTag":"MQ==","twinETag":"AAE=","tags":{"n":1,"m":2.0}}'],
    );
    expect(lines.map((text) => JSON.parse(text) as unknown)).toMatchObject([{ tags: { m: 2 }, twinETag: 'AAE=' }]);
    expect(removals.map((text) => JSON.parse(text) as unknown)).toMatchObject([{ id: 'd1', tags: { n: null } }]);
  });

  it('go to the hub as they are staged when nothing is filled in', async () => {
    const line = `{"id":"d1",${WHOLE},"tags":{"a" : 1.0}}`;
    const { manifest, lines } = await filled([line], ['{"id":"d1","eTag":"MQ==","tags":{"a":0}}']);
    expect(manifest.blobName).toMatch(/^devices-/);
    expect(manifest).not.toHaveProperty('removals');
    expect(lines).toEqual([line]);
  });

  it('are looked up a part at a time when their twins are more than is kept at once', async () => {
    const section = Array.from({ length: 7 }, (_, index) => `"k${index}":"${'x'.repeat(100)}"`).join(',');
    // Every third device is not there.
    const ids = Array.from({ length: 300 }, (_, index) => `d${(index * 7919) % 300}`);
    const isThere = (id: string) => Number(id.slice(1)) % 3 !== 0;
    const { lines, removals } = await filled(
      ids.map(
        (id) =>
          `{"id":"${id}","importMode":"updateTwin","status":"enabled","properties":{"desired":{"n":1,"k0":null}}}`,
      ),
      ids
        .filter(isThere)
        .map((id) => `{"id":"${id}","twinETag":"AA==","properties":{"desired":{${section}}}}`)
        .reverse(),
      // The twin of one device is larger.
      700,
    );
    expect(lines.map((text) => (JSON.parse(text) as { id: string }).id)).toEqual(ids);
    expect(lines.filter((text) => text.includes('"k6"'))).toHaveLength(200);
    expect(removals.map((text) => (JSON.parse(text) as { id: string }).id)).toEqual(ids.filter(isThere));
  });
});
