import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { beforeEach, expect, it } from 'vitest';

import type { Connection } from '../../../cli/app/connection.ts';
import { downloadWorkReport, readTroubles } from '../../../cli/app/workTroubles.ts';
import type { Outcome } from '../../../src/lib/runs/runRecord.ts';
import { startWork } from '../../../src/lib/work/startWork.ts';
import type { WorkRun } from '../../../src/lib/work/workRun.ts';
import { startAzurite } from '../../helpers/azurite.ts';
import { workContext } from '../../helpers/inProcessRun.ts';
import { countingStarter, dropFile, type TestContext, testContext } from '../../helpers/provisioningContext.ts';
import { noOutcomes } from '../records.ts';

const REASON = { outcome: 'failed', code: 'ArgumentInvalid', count: 1, line: 5, deviceId: 'pump' };
const ITEM = { what: 'managedBy', id: 'pump', moduleId: 'm', outcome: 'failed' };

let context: TestContext;
let connection: Connection;

beforeEach(async () => {
  context = testContext((await startAzurite()).connectionString);
  connection = { storage: context.storage, runs: context.runs } as unknown as Connection;
});

async function reportOf(folder: string, report: object) {
  const container = context.storage.container('provision-results');
  await container.createIfNotExists();
  const text = JSON.stringify(report);
  for (const name of ['report.json', 'more.csv']) {
    await container.getBlockBlobClient(`${folder}/${name}`).upload(text, Buffer.byteLength(text));
  }
  return { container: 'provision-results', json: `${folder}/report.json`, csv: `${folder}/more.csv` };
}

/** A restore whose lines were applied by a run of its own. */
async function restored(outcomes: Partial<Record<Outcome, number>>): Promise<WorkRun> {
  const appliedBy = await dropFile(context, 'devices.txt', '{"id":"a"}');
  const report = await reportOf('lines-of-it', { reasons: [REASON] });
  await context.runs.update(appliedBy, (run) => ({ ...run, report }));
  const work = workContext(context);
  const { runId } = await startWork(work, countingStarter(), { kind: 'restore', hub: 'default', request: {} });
  const own = await reportOf('itself', { failed: [ITEM] });
  return work.runs.update(runId, (run) => ({
    ...run,
    ...{ state: 'completedWithFailures', appliedBy, report: own, outcomes: { ...noOutcomes, ...outcomes } },
  }));
}

it('what failed is read of the lines, and of what no line does', async () => {
  expect(await readTroubles(connection, await restored({ failed: 2 }))).toEqual({ reasons: [REASON], failed: [ITEM] });
});

it('nothing is read where nothing failed', async () => {
  expect(await readTroubles(connection, await restored({ succeeded: 2 }))).toBeUndefined();
});

it('reports that are gone are none', async () => {
  const record = await restored({ failed: 1 });
  await context.storage.container('provision-results').delete();
  expect(await readTroubles(connection, record)).toEqual({ reasons: [], failed: [] });
  const { appliedBy: _, report: __, ...bare } = record;
  expect(await readTroubles(connection, bare)).toEqual({ reasons: [], failed: [] });
});

it('the report of the lines is downloaded with the other one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'report-'));
  try {
    const record = await restored({ failed: 1 });
    expect(await downloadWorkReport(connection, record, folder)).toHaveLength(4);
    expect((await readdir(folder)).sort()).toEqual(['lines', 'more.csv', 'report.json']);
    expect((await readdir(join(folder, 'lines'))).sort()).toEqual(['more.csv', 'report.json']);
  } finally {
    await rm(folder, { recursive: true });
  }
});
