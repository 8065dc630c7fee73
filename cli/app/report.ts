import { mkdir, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { RunRecord } from '../../src/lib/runKinds.ts';
import { readJson } from '../../src/lib/storage/jsonBlob.ts';
import type { Storage } from '../../src/lib/storage/storage.ts';
import { isNotFound } from '../../src/lib/storage/storageErrors.ts';
import { usageError } from '../cliError.ts';
import { shortPath } from '../render/commandText.ts';
import type { RunReport } from '../render/runReport.ts';

/** The report of a run; undefined while there is none, or when it has been removed since. */
export async function readReport(storage: Storage, record: RunRecord): Promise<RunReport | undefined> {
  if (record.report === undefined) return undefined;
  const blob = storage.container(record.report.container).getBlockBlobClient(record.report.json);
  return (await readJson<RunReport>(blob))?.value;
}

/**
 * Makes sure that the report can be downloaded into `folder`, which is made when it is not there.
 * @throws CliError
 */
export async function prepareReportFolder(folder: string): Promise<void> {
  try {
    await makeFolder(folder);
    // What may be written there, only the writing itself tells.
    await rm(await mkdtemp(join(folder, '.hubkeeper-')), { recursive: true });
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const why = code === 'EEXIST' || code === 'ENOTDIR' ? 'a file is in its way' : `it cannot be written (${code})`;
    throw usageError(
      `The report cannot go to ${shortPath(folder)}: ${why}.`,
      'Give a folder that can be written with --report.',
    );
  }
}

/** Step by step: asked for all steps at once in a file system that takes none, Node never comes back. */
async function makeFolder(folder: string): Promise<void> {
  if (await isFolder(folder)) return;
  const parent = dirname(resolve(folder));
  if (!(await isFolder(parent))) await makeFolder(parent);
  await mkdir(folder);
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

/**
 * Downloads the files of the report into `folder`, readable by their owner only: two of them hold keys.
 * @returns their paths
 */
export async function downloadReport(storage: Storage, record: RunRecord, folder: string): Promise<readonly string[]> {
  if (record.report === undefined) return [];
  const { container, ...names } = record.report;
  await makeFolder(folder);
  const paths: string[] = [];
  for (const name of Object.values(names)) {
    const path = join(folder, basename(name));
    try {
      const { readableStreamBody } = await storage.container(container).getBlockBlobClient(name).download();
      if (readableStreamBody === undefined) throw new Error(`Storage gave no content for ${container}/${name}.`);
      const file = await open(path, 'w', 0o600);
      try {
        await file.writeFile(readableStreamBody as AsyncIterable<Buffer>);
      } finally {
        await file.close();
      }
      paths.push(shortPath(path));
    } catch (error) {
      // Results may have been removed by age.
      if (!isNotFound(error)) throw error;
    }
  }
  return paths;
}
