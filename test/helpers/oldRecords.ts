/** Runs as an earlier version left them in storage: their records, and of those in flight the drop and the container too. */

import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { projectRoot } from '../../local/stack/projectRoot.ts';
import { runIdFor } from '../../src/lib/runs/runId.ts';
import { RUNS_CONTAINER } from '../../src/lib/storage/storage.ts';
import type { TestContext } from './provisioningContext.ts';

interface OldRun {
  readonly record: {
    readonly runId: string;
    readonly state: string;
    readonly createdAt: string;
    readonly updatedAt: string;
    readonly finishedAt?: string;
    readonly drop: { readonly blobName: string; readonly etag: string };
  };
  readonly drop?: { readonly text: string; readonly metadata: Readonly<Record<string, string>> };
  /** By the names of blobs. */
  readonly staging?: Readonly<Record<string, string>>;
}

const FOLDER = join(projectRoot(), 'test/fixtures/records');

/** Names of the runs that a version left. */
export function oldRuns(version: string): string[] {
  return globSync('*.json', { cwd: join(FOLDER, version) })
    .map((file) => basename(file, '.json'))
    .sort();
}

export interface PutRun {
  readonly runId: string;
  readonly blobName: string;
  /** As it stands in storage. */
  readonly text: string;
}

/**
 * Puts such a run into storage. Its drop gets an ETag there, so the run has another id than it had: wherever the id and
 * the ETag stand, they are replaced. One in flight was left just now: its times are moved by as much.
 *
 * @param changed what else is to be replaced, before by after
 */
export async function putOldRun(
  context: TestContext,
  name: string,
  changed: Readonly<Record<string, string>> = {},
): Promise<PutRun> {
  const old = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as OldRun;
  const { blobName } = old.record.drop;
  const { text = '{"id":"d"}\n', metadata = { hubkeeper: 'test' } } = old.drop ?? {};
  const box = context.storage.container(context.settings.provisionContainer);
  await box.createIfNotExists();
  const { etag = '' } = await box.getBlockBlobClient(blobName).upload(text, text.length, { metadata });
  const account = context.storage.accountName;
  const runId = runIdFor({ account, container: context.settings.provisionContainer, blobName, etag });
  const { state, createdAt, updatedAt, finishedAt } = old.record;
  const laterMs = finishedAt === undefined ? context.now().getTime() - Date.parse(updatedAt) : 0;
  const later = (instant: string) => new Date(Date.parse(instant) + laterMs).toISOString();
  const renew = (content: string): string => {
    const inTime = content.replace(/\b20\d\d-\d\d-\d\dT[\d:.]+Z/g, later);
    const replaced = Object.entries(changed).reduce((all, [from, to]) => all.replaceAll(from, to), inTime);
    return replaced.replaceAll(old.record.runId, runId);
  };
  const staging = context.storage.runContainer(runId);
  for (const [blob, content] of Object.entries(old.staging ?? {})) {
    await staging.createIfNotExists();
    const body = renew(content);
    await staging.getBlockBlobClient(blob).upload(body, Buffer.byteLength(body));
  }
  const container = context.settings.provisionContainer;
  const record = renew(JSON.stringify({ ...old.record, drop: { ...old.record.drop, container, etag } }));
  const runs = context.storage.container(RUNS_CONTAINER);
  await runs.createIfNotExists();
  await runs.getBlockBlobClient(`${runId}.json`).upload(record, Buffer.byteLength(record), {
    metadata: { state, created: later(createdAt), ...(finishedAt === undefined ? {} : { finished: finishedAt }) },
  });
  return { runId, blobName, text: record };
}
