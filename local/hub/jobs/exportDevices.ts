import { Readable } from 'node:stream';
import type { ContainerClient } from '@azure/storage-blob';
import type { JobFault } from '../faults.ts';
import type { HubSettings } from '../hubOptions.ts';
import type { IdentityStore } from '../registry/identityStore.ts';
import { exportLine } from '../wire/registryLine.ts';
import { demandOutcome } from './jobFailure.ts';
import { createPace } from './pace.ts';

export interface ExportInput {
  readonly container: ContainerClient;
  readonly blobName: string;
  readonly excludeKeys: boolean;
  readonly store: IdentityStore;
  readonly settings: HubSettings;
  readonly fault: JobFault | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (percent: number, lines: number) => void;
}

const LINE_END = '\r\n';
const ROWS_AT_ONCE = 500;

/** A keyless export begins with a line of plain text; readers skip lines that do not begin with `{`. */
const WITHOUT_KEYS = 'WARNING: this export was made without device keys; importing it gives the devices new ones.';

/** Writes all identities, oldest first, as a block blob; an existing blob is deleted first. */
export async function exportDevices(input: ExportInput): Promise<void> {
  await writeBlob(input.container, input.blobName, exportChunks(input), input.signal);
}

async function* exportChunks(input: ExportInput): AsyncGenerator<string> {
  const { store, excludeKeys, signal } = input;
  const pace = createPace(() => input.settings.jobRate);
  const { devices, modules } = store.counts();
  const total = Math.max(1, devices + modules);
  if (excludeKeys) yield WITHOUT_KEYS + LINE_END;
  let after = 0;
  let done = 0;
  for (;;) {
    await demandOutcome(input.fault, done, signal);
    const rows = store.page('all', after, Math.min(ROWS_AT_ONCE, pace.atOnce));
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map((row) => exportLine(row, excludeKeys) + LINE_END).join('');
    after = last.seq;
    done += rows.length;
    input.onProgress(Math.min(99, Math.floor((done / total) * 100)), done);
    await pace.pause(rows.length, signal);
  }
}

/** Streams text into a block blob, replacing what was there. */
export async function writeBlob(
  container: ContainerClient,
  name: string,
  chunks: AsyncIterable<string> | Iterable<string>,
  abortSignal: AbortSignal,
): Promise<void> {
  const blob = container.getBlockBlobClient(name);
  await blob.deleteIfExists({ abortSignal });
  const bytes = async function* () {
    for await (const chunk of chunks) yield Buffer.from(chunk);
  };
  await blob.uploadStream(Readable.from(bytes(), { objectMode: false }), 4 * 1024 * 1024, 2, { abortSignal });
}
