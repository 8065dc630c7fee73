import type { ContainerClient } from '@azure/storage-blob';
import type { Faults, JobFault } from '../faults.ts';
import { HubError } from '../http/hubError.ts';
import type { HubSettings } from '../hubOptions.ts';
import { applyLine } from '../identity/applyLine.ts';
import type { IdentityStore } from '../registry/identityStore.ts';
import type { RegistryLine } from '../wire/registryLine.ts';
import { demandOutcome } from './jobFailure.ts';
import { lineError, parseLine } from './jobLine.ts';
import type { JobRow, JobStore } from './jobStore.ts';
import { createLineSplitter, type InputLine } from './lineSplitter.ts';
import { createPace } from './pace.ts';

export interface ImportInput {
  readonly job: JobRow;
  readonly container: ContainerClient;
  readonly blobName: string;
  readonly store: IdentityStore;
  readonly jobs: JobStore;
  readonly settings: HubSettings;
  readonly faults: Faults;
  readonly fault: JobFault | undefined;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Longest work in one transaction: a job must not keep other requests waiting. */
const SLICE_MS = 25;
const MAX_LINE_BYTES = 1024 * 1024;

/**
 * Streams the input blob line by line into the registry. Lines, their errors and the position in the blob are
 * committed together, so that a job that was killed goes on at the first line that was not applied.
 */
export async function importDevices(input: ImportInput): Promise<void> {
  const { job, container, blobName, signal } = input;
  const blob = container.getBlobClient(blobName);
  const conditions = job.inputEtag === null ? {} : { conditions: { ifMatch: job.inputEtag } };
  const { contentLength = 0, etag } = await blob.getProperties({ abortSignal: signal, ...conditions });
  if (job.inputEtag === null && etag !== undefined) input.jobs.change(job.jobId, { inputEtag: etag });
  const progress = { position: job.position, lines: job.lines, bytes: contentLength };
  const pace = createPace(() => input.settings.jobRate);
  const work = async (lines: readonly InputLine[]) => {
    let done = 0;
    while (done < lines.length) {
      await demandOutcome(input.fault, progress.lines, signal);
      const before = done;
      done = applySlice(input, lines, done, progress, pace.atOnce);
      await pace.pause(done - before, signal);
    }
  };
  if (job.position < contentLength) {
    const options = {
      abortSignal: signal,
      conditions: etag === undefined ? {} : { ifMatch: etag },
      maxRetryRequests: 5,
    };
    const { readableStreamBody } = await blob.download(job.position, undefined, options);
    const splitter = createLineSplitter(job.position, MAX_LINE_BYTES);
    for await (const chunk of readableStreamBody ?? []) {
      await work(splitter.feed(typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
    }
    const last = splitter.finish();
    if (last !== undefined) await work([last]);
  }
  await demandOutcome(input.fault, progress.lines, signal);
}

/** Applies lines from `from` on in one transaction; returns the index of the first line left. */
function applySlice(
  input: ImportInput,
  lines: readonly InputLine[],
  from: number,
  progress: { position: number; lines: number; readonly bytes: number },
  atOnce: number,
): number {
  const { store, jobs, job, fault } = input;
  const started = performance.now();
  const stopAfter = fault === undefined ? Number.POSITIVE_INFINITY : fault.afterLines - progress.lines;
  const most = Math.max(1, Math.min(atOnce, stopAfter));
  return store.transaction(() => {
    let at = from;
    while (at < lines.length && at - from < most && performance.now() - started < SLICE_MS) {
      const line = lines[at];
      if (line === undefined) break;
      applyInputLine(input, line, progress.position === 0);
      progress.position = line.end;
      progress.lines += 1;
      at += 1;
    }
    const percent = Math.min(99, Math.floor((progress.position / Math.max(1, progress.bytes)) * 100));
    jobs.change(job.jobId, { position: progress.position, lines: progress.lines, progress: percent });
    return at;
  }, 'job');
}

function applyInputLine(input: ImportInput, { text: raw, overlong }: InputLine, isFirst: boolean): void {
  const text = isFirst && raw.startsWith('\uFEFF') ? raw.slice(1) : raw;
  if (text.trim() === '') return;
  let line: RegistryLine | undefined;
  try {
    if (overlong)
      throw new HubError(
        'DeserializationError',
        `Invalid device format in line: ${text.slice(0, 1000)}…. The line is too long.`,
      );
    line = parseLine(text);
    const fault = input.faults.forItem('importLine', line);
    if (fault?.effect === 'before') throw fault.error;
    const context = { store: input.store, settings: input.settings, nowMs: input.now(), caller: 'job' as const };
    applyLine(context, line, input.settings);
    if (fault?.effect === 'after') throw fault.error;
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    input.jobs.addError(input.job.jobId, 'device', JSON.stringify(lineError(error, line)));
  }
}
