import { afterAll, beforeAll, expect, it } from 'vitest';

import { checkDrop } from '../../../../src/lib/provisioning/check/checkDrop.ts';
import { DEFAULT_OPTIONS } from '../../../../src/lib/provisioning/run/options.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { dropFile, testContext } from '../../../helpers/provisioningContext.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

it('counts every line that disables, however the word is written', async () => {
  const context = testContext(azurite.connectionString, {});
  const lines = [
    '{"id":"a","importMode":"update","status":"disabled"}',
    '{"id":"b","importMode":"update","status":"Disabled"}',
    '{"id":"c","importMode":"update","status":"disabl\\u0065d"}',
    '{"id":"d","importMode":"update","tags":{"a":"disabled"}}',
    '{"id":"e","importMode":"create","status":"disabled"}',
  ];
  const runId = await dropFile(context, 'disables/devices.txt', lines.join('\n'));
  const record = await context.runs.read(runId);
  if (record === undefined) throw new Error('The file has no run.');
  expect(await checkDrop(context, { ...record, options: DEFAULT_OPTIONS })).toMatchObject({ accepted: 5, disables: 3 });
});
