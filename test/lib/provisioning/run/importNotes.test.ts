import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { closeImport, importSent, noteRefused, noteSending } from '../../../../src/lib/provisioning/run/importNotes.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { dropFile, testContext } from '../../../helpers/provisioningContext.ts';

let azurite: Azurite;
let drops = 0;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const AT = '2026-11-20T10:00:00.000Z';

async function newRun() {
  const context = testContext(azurite.connectionString);
  return { context, runId: await dropFile(context, `notes${++drops}/devices.txt`, '{"id":"d1"}\n') };
}

describe('what the record says of the import', () => {
  it('is that it was not sent, until it is about to be', async () => {
    const { context, runId } = await newRun();
    expect(await importSent(context, runId)).toBe(false);
    expect(await noteSending(context, runId, AT)).toBe(true);
    expect(await importSent(context, runId)).toBe(true);
    expect(await closeImport(context, runId)).toBe(false);
  });

  it('is taken back only by the attempt that the hub has refused', async () => {
    const { context, runId } = await newRun();
    await noteSending(context, runId, AT);
    await noteRefused(context, runId, '2026-11-20T11:00:00.000Z');
    expect(await importSent(context, runId)).toBe(true);
    await noteRefused(context, runId, AT);
    expect(await importSent(context, runId)).toBe(false);
    expect(await closeImport(context, runId)).toBe(true);
  });

  it('keeps whoever comes late from sending, once the run was closed to it, also after its end', async () => {
    const { context, runId } = await newRun();
    expect(await closeImport(context, runId)).toBe(true);
    expect(await noteSending(context, runId, AT)).toBe(false);
    await context.runs.update(runId, (record) => ({ ...record, state: 'failed', finishedAt: AT }));
    expect(await noteSending(context, runId, AT)).toBe(false);
    expect(await importSent(context, runId)).toBe(false);
  });

  it('lets one of sending and closing come first, whatever comes together', async () => {
    for (let wave = 0; wave < 5; wave++) {
      const { context, runId } = await newRun();
      const [sending, closed] = await Promise.all([noteSending(context, runId, AT), closeImport(context, runId)]);
      expect(sending).toBe(!closed);
    }
  });
});
