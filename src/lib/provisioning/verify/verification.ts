/**
 * Reading the registry back, for lines whose fate nothing else tells: few of them one by one, more by an export job.
 *
 * What was found lies in a blob of its own, one row a line: whether the registry is as the line asks for.
 */

import { randomBytes } from 'node:crypto';

import type { BlockBlobClient } from '@azure/storage-blob';

import { identityOf } from '../../devicesFile/identityTable.ts';
import { HubError } from '../../registry/index.ts';
import { type Agreement, agreement } from '../../registryLines/agrees.ts';
import { parseRegistryLines, readRegistryLine, UNREADABLE } from '../../registryLines/registryLine.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { hubOf } from '../../runs/runRecord.ts';
import { createBlockWriter } from '../../storage/blockWriter.ts';
import { readJson, writeJson } from '../../storage/jsonBlob.ts';
import { linesOf, rowsOf, writeLines } from '../../storage/ndjson.ts';
import { type RoundLine, readRoundLines, type Verification } from '../again/rounds.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';

/** As with the pre-image: what a hub of the smallest tier answers in about two minutes. */
const MOST_READ_SINGLY = 200;
const READS_AT_ONCE = 4;
const WORK_MS = 45_000;
/** So many lines are compared by one pass over the export: bounds memory, whatever the size of file and registry. */
const LINES_A_PASS = 20_000;
const CHARACTERS_A_PASS = 64 * 1024 * 1024;

/** Writes down which lines are to be verified. No line: there is nothing to verify. */
export async function planVerification(
  context: ProvisioningContext,
  record: ProvisionRun,
  lines: AsyncIterable<string>,
): Promise<Verification> {
  const attempt = randomBytes(4).toString('hex');
  const writer = createBlockWriter(blobs(context, record, attempt).lines);
  let count = 0;
  for await (const line of lines) {
    writer.writeLine(0, line);
    await writer.drain();
    count += 1;
  }
  if (count > 0) await writer.commit();
  return {
    attempt,
    lines: count,
    way: count <= MOST_READ_SINGLY ? 'single' : 'export',
    state: count === 0 ? 'ended' : 'due',
  };
}

/** Name of the blob that the export of a verification writes. */
export function verifyBlobName({ attempt, exportTry = 1 }: Verification): string {
  return `registry-${attempt}-${exportTry}.txt`;
}

function blobs(context: ProvisioningContext, record: ProvisionRun, attempt: string) {
  const staging = stagingOf(context, record.runId);
  return {
    lines: staging.getBlockBlobClient(`verify-${attempt}.txt`),
    singly: staging.getBlockBlobClient(`verify-${attempt}.json`),
  };
}

/** One line verified: id, moduleId, and how far the registry is as it asks for. */
type FoundRow = readonly [id: string, moduleId: string | null, agreement: Agreement];

/** Reads lines one by one until the time of an activity is up. `export`: one of them can only be had by an export. */
export async function verifySingly(
  context: ProvisioningContext,
  record: ProvisionRun,
  { attempt }: Verification,
): Promise<
  { readonly next: 'again' } | { readonly next: 'export' } | { readonly next: 'ended'; readonly foundBlobName: string }
> {
  const { lines: source, singly } = blobs(context, record, attempt);
  const lines = await readRoundLines(source);
  const earlier = await readJson<readonly FoundRow[]>(singly);
  let etag = earlier?.etag;
  const rows = [...(earlier?.value ?? [])];
  const hub = context.hub(hubOf(record));
  const endAt = context.now().getTime() + WORK_MS;
  while (rows.length < lines.length) {
    if (context.now().getTime() > endAt) return { next: 'again' };
    const batch = lines.slice(rows.length, rows.length + READS_AT_ONCE);
    const found = await Promise.all(batch.map((line) => readRegistryLine(hub, line)));
    for (const [index, line] of batch.entries()) {
      const there = found[index];
      if (there === UNREADABLE) return { next: 'export' };
      rows.push([line.id, line.moduleId ?? null, agreement(line, there)]);
    }
    etag = await writeJson(singly, rows, etag === undefined ? { ifAbsent: true } : { ifMatch: etag });
    // Another attempt at this step is ahead.
    if (etag === undefined) return { next: 'again' };
  }
  return { next: 'ended', foundBlobName: await writeFound(context, record, rows) };
}

async function writeFound(
  context: ProvisioningContext,
  record: ProvisionRun,
  rows: readonly FoundRow[],
): Promise<string> {
  const found = foundBlob(context, record);
  await writeLines(
    found,
    rows.map((row) => JSON.stringify(row)),
  );
  return found.name;
}

function foundBlob(context: ProvisioningContext, record: ProvisionRun): BlockBlobClient {
  return stagingOf(context, record.runId).getBlockBlobClient(`found-${randomBytes(4).toString('hex')}.ndjson`);
}

/** Compares the lines with an export of the registry. */
export async function verifyByExport(
  context: ProvisioningContext,
  record: ProvisionRun,
  verification: Verification,
): Promise<string> {
  const source = blobs(context, record, verification.attempt).lines;
  const exported = stagingOf(context, record.runId).getBlockBlobClient(verifyBlobName(verification));
  const found = foundBlob(context, record);
  const writer = createBlockWriter(found);
  let pass = new Map<string, RoundLine>();
  let characters = 0;
  const finishPass = async () => {
    const agreeing = new Map<string, Agreement>();
    for await (const there of parseRegistryLines(linesOf(exported))) {
      const key = identityOf(there);
      const line = pass.get(key);
      if (line !== undefined) agreeing.set(key, agreement(line, there));
    }
    for (const [key, line] of pass) {
      const row: FoundRow = [line.id, line.moduleId ?? null, agreeing.get(key) ?? agreement(line, undefined)];
      writer.writeLine(0, JSON.stringify(row));
      await writer.drain();
    }
    pass = new Map();
  };
  for await (const text of linesOf(source)) {
    const line = JSON.parse(text) as RoundLine;
    pass.set(identityOf(line), line);
    characters += text.length;
    if (pass.size < LINES_A_PASS && characters < CHARACTERS_A_PASS) continue;
    characters = 0;
    await finishPass();
  }
  if (pass.size > 0) await finishPass();
  await writer.commit();
  return found.name;
}

export async function* readFound(
  context: ProvisioningContext,
  record: ProvisionRun,
  blobName: string,
): AsyncGenerator<{ readonly id: string; readonly moduleId: string | undefined; readonly agreement: Agreement }> {
  const rows = rowsOf<FoundRow>(stagingOf(context, record.runId).getBlockBlobClient(blobName));
  for await (const [id, moduleId, found] of rows) {
    yield { id, moduleId: moduleId ?? undefined, agreement: found };
  }
}

/** Whether trouble with reading may pass. */
export function mayPass(error: unknown): error is HubError {
  return error instanceof HubError && error.retryable;
}
