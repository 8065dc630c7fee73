/** What failed in work that changes a hub: of its lines, which a run of its own has applied, and of the rest. */

import { join } from 'node:path';

import type { RunRecord } from '../../src/lib/runKinds.ts';
import { readJson } from '../../src/lib/storage/jsonBlob.ts';
import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { troubled } from '../exitCode.ts';
import type { WorkTroubles } from '../render/workTroublesText.ts';
import type { Connection } from './connection.ts';
import { downloadReport, readReport } from './report.ts';

/** Reads the reports where there is something to tell. */
export async function readTroubles(connection: Connection, record: WorkRun): Promise<WorkTroubles | undefined> {
  if (troubled(record) === 0) return undefined;
  const applied = await appliedRun(connection, record);
  const { reasons = [] } = (applied && (await readReport(connection.storage, applied))) ?? {};
  return { reasons, failed: await failedItems(connection, record) };
}

/** Downloads the report of the work; and that of the run that has applied its lines, into a folder in there. */
export async function downloadWorkReport(
  connection: Connection,
  record: WorkRun,
  folder: string,
): Promise<readonly string[]> {
  const files = await downloadReport(connection.storage, record, folder);
  const applied = await appliedRun(connection, record);
  if (applied === undefined) return files;
  return [...files, ...(await downloadReport(connection.storage, applied, join(folder, 'lines')))];
}

async function appliedRun({ runs }: Connection, { appliedBy }: WorkRun): Promise<RunRecord | undefined> {
  return appliedBy === undefined ? undefined : runs.read(appliedBy);
}

async function failedItems({ storage }: Connection, { report }: WorkRun): Promise<WorkTroubles['failed']> {
  if (report === undefined) return [];
  const blob = storage.container(report.container).getBlockBlobClient(report.json);
  return (await readJson<Partial<Pick<WorkTroubles, 'failed'>>>(blob))?.value.failed ?? [];
}
