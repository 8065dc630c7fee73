import { afterAll, beforeAll, expect, it } from 'vitest';

import { encodeMissingRow, readMissingAlong } from '../../../../src/lib/provisioning/check/missingRows.ts';
import { openStaging } from '../../../../src/lib/runs/runContainer.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { testContext } from '../../../helpers/provisioningContext.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

async function along(...rows: readonly string[]) {
  const staging = await openStaging(testContext(azurite.connectionString), '0123456789abcdef0123');
  const blob = staging.getBlockBlobClient('missing.ndjson');
  const text = rows.map((row) => `${row}\n`).join('');
  await blob.upload(text, text.length);
  return readMissingAlong(blob);
}

it('what lines leave out is found along with them, devices told from their modules', async () => {
  const missing = await along(
    encodeMissingRow({ id: 'b' }, ['status', 'capabilities']),
    encodeMissingRow({ id: 'b', moduleId: 'm' }, ['authentication']),
  );
  expect(await missing.of({ id: 'a' })).toBeUndefined();
  expect(await missing.of({ id: 'b', moduleId: null })).toEqual(['status', 'capabilities']);
  expect(missing.isOver()).toBe(false);
  expect(await missing.of({ id: 'b', moduleId: 'other' })).toBeUndefined();
  expect(await missing.of({ id: 'b', moduleId: 'm' })).toEqual(['authentication']);
  expect(missing.isOver()).toBe(true);
  expect(await missing.of({ id: 'b' })).toBeUndefined();
});

it('a file whose lines leave nothing out is over from the start', async () => {
  const missing = await along();
  expect(missing.isOver()).toBe(true);
  expect(await missing.of({ id: 'a' })).toBeUndefined();
});
