import { afterAll, beforeAll, expect, it } from 'vitest';

import { markFinished } from '../../../../src/lib/provisioning/again/callRounds.ts';
import { openRounds, writeRound } from '../../../../src/lib/provisioning/again/rounds.ts';
import { openStaging } from '../../../../src/lib/runs/runContainer.ts';
import type { RunRecord } from '../../../../src/lib/runs/runRecord.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { dropFile, testContext } from '../../../helpers/provisioningContext.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const AT = '2026-11-20T10:00:00.000Z';

it.each<[string, Partial<RunRecord>, boolean]>([
  ['goes on', {}, false],
  ['has lost its notes, and goes on', { stagingLost: { at: AT, what: 'a blob', times: 1, isSent: true } }, false],
  ['was cancelled', { cancelRequestedAt: AT }, true],
])(
  'links that were not sent when their lanes ended are over only where the run %s: %j: %s',
  async (what, change, over) => {
    const context = testContext(azurite.connectionString);
    const runId = await dropFile(context, `${what.replace(/\W/g, '')}/devices.txt`, '{"id":"d1"}\n');
    await openStaging(context, runId);
    const record = await context.runs.update(runId, (current) => ({ ...current, ...change }));
    const until = new Date(context.now().getTime() + 60_000).toISOString();
    await openRounds(context, record, until, false);
    const lines = async function* () {
      yield '{"id":"d1","importMode":"updateIfMatchETag"}';
    };
    await writeRound(context, record, { name: 'parents-1-0', links: true, until, lines: lines() });
    const [round] = (await markFinished(context, record, 'parents-1-0')).rounds;
    expect(round?.finishedAt !== undefined).toBe(over);
  },
);
