import type {
  AcceptedLine,
  CheckOptions,
  LineWarning,
  RejectedLine,
  SkippedLine,
} from '../../../src/lib/devicesFile/checkDevicesFile.ts';
import { type CheckSummary, checkDevicesFile } from '../../../src/lib/devicesFile/checkDevicesFile.ts';

/** Everything that a check says about a file. */
export interface Checked {
  readonly summary: CheckSummary;
  /** Of a CSV file. */
  readonly headers: string[];
  readonly accepted: AcceptedLine[];
  readonly rejected: RejectedLine[];
  readonly skipped: SkippedLine[];
  readonly warnings: LineWarning[];
  readonly passes: number;
}

export const CREATE: CheckOptions = { importMode: 'create' };
export const CSV: CheckOptions = { ...CREATE, format: 'csv' };
export const DEFAULTS: CheckOptions = { importMode: 'createOrUpdate' };

/** Checks text or bytes; `chunkSize` cuts them into chunks of so many bytes. */
export async function checkText(
  input: string | Uint8Array,
  options: CheckOptions = CREATE,
  chunkSize = Number.POSITIVE_INFINITY,
): Promise<Checked> {
  const bytes = typeof input === 'string' ? Buffer.from(input) : input;
  const headers: string[] = [];
  const accepted: AcceptedLine[] = [];
  const rejected: RejectedLine[] = [];
  const skipped: SkippedLine[] = [];
  const warnings: LineWarning[] = [];
  let passes = 0;
  const summary = await checkDevicesFile(
    () => {
      passes += 1;
      return chunksOf(bytes, chunkSize);
    },
    options,
    {
      header: (raw) => headers.push(Buffer.from(raw).toString()),
      device: (line) => accepted.push(line),
      module: (line) => accepted.push(line),
      rejected: (line) => rejected.push(line),
      skipped: (line) => skipped.push(line),
      warning: (warning) => warnings.push(warning),
      drain: () => undefined,
    },
  );
  return { summary, headers, accepted, rejected, skipped, warnings, passes };
}

export async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, Math.min(at + size, bytes.length));
}

/** A line of JSON. */
export function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

export const KEY_1 = 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';
export const KEY_2 = 'ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=';
export const SAS = { symmetricKey: { primaryKey: KEY_1, secondaryKey: KEY_2 }, type: 'sas' };

/** A line that every mode accepts. */
export function wholeDevice(id: string, more: object = {}): Record<string, unknown> {
  return {
    id,
    eTag: 'MQ==',
    status: 'enabled',
    statusReason: '',
    authentication: SAS,
    twinETag: 'AAAAAAAAAAE=',
    tags: { site: 'bergen' },
    properties: { desired: { interval: 30 } },
    capabilities: { iotEdge: false },
    ...more,
  };
}
