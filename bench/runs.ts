/**
 * Compares a run of HubKeeper with the import job alone, and times many small files.
 *
 * A pair: the same lines, once uploaded and imported by hand in the way that Azure documents it (a container with a SAS,
 * POST /jobs/create, GET /jobs/{id} twice a second), once dropped and waited for twice a second until the record of the
 * run is final. Each on a local stack of its own that has just started; who begins alternates; each pair has lines of
 * another form. Both are timed from before the upload. Then one-line files, all dropped at once.
 *
 *     node bench/runs.ts [--lines 100000] [--pairs 3] [--files 30]
 *
 * Exits with 1 if a run takes more than 1.5 times as long as the job by hand, or a small file more than 4 s.
 */

import { parseArgs } from 'node:util';

import type { BlobServiceClient } from '@azure/storage-blob';

import type { Stack } from '../local/stack/index.ts';
import { generateDevices } from '../src/lib/devicesFile/generate.ts';
import type { RunRecord } from '../src/lib/runKinds.ts';
import { containerUri, jobByHand, until, withStack } from './byHand.ts';
import { median } from './measure.ts';

const MOST_TIMES = 1.5;
const MOST_SECONDS_A_FILE = 4;
const FINAL_STATES: readonly string[] = [
  'completed',
  'completedWithFailures',
  'failed',
  'cancelled',
  'refused',
  'stale',
] satisfies RunRecord['state'][];

interface Device {
  readonly id: string;
  readonly importMode: string;
  readonly authentication: { readonly symmetricKey: object };
  readonly tags: object;
  readonly properties: { readonly desired: object };
}

/** The same devices, written by others. */
const FORMS: readonly { readonly name: string; readonly lineOf: (line: string, number: number) => string }[] = [
  { name: 'as generated', lineOf: (line) => line },
  {
    name: 'as a hub exports',
    lineOf(line, number) {
      const { id, importMode, authentication, tags, properties } = JSON.parse(line) as Device;
      return JSON.stringify({
        id,
        eTag: Buffer.from(String(number)).toString('base64'),
        importMode,
        status: 'enabled',
        statusReason: '',
        authentication: {
          symmetricKey: authentication.symmetricKey,
          x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
          type: 'sas',
        },
        twinETag: 'AAAAAAAAAAE=',
        tags,
        properties: { desired: properties.desired, reported: { firmware: '1.4.2', battery: number % 100 } },
        capabilities: { iotEdge: false },
      });
    },
  },
  {
    name: 'another order, escapes, non-ASCII',
    lineOf(line, number) {
      const { id, importMode, authentication, tags, properties } = JSON.parse(line) as Device;
      const place = { ...tags, room: `Büro ${number}`, note: 'door "B"\tleft' };
      return JSON.stringify({ tags: place, properties, importMode, authentication, status: 'enabled', id });
    },
  },
];

function devicesFile(form: (typeof FORMS)[number], lines: number): Buffer {
  const parts: Buffer[] = [];
  let number = 0;
  for (const line of generateDevices({ count: lines, seed: 'bench', importMode: 'create' })) {
    parts.push(Buffer.from(`${form.lineOf(line, number)}\n`));
    number += 1;
  }
  return Buffer.concat(parts);
}

async function secondsByHand(content: Buffer, lines: number): Promise<number> {
  return withStack(async (stack, blobs) => {
    const container = blobs.getContainerClient('by-hand');
    await container.create();
    const start = performance.now();
    await container.getBlockBlobClient('devices.txt').uploadData(content);
    const uri = await containerUri(container);
    await jobByHand(stack, { type: 'import', inputBlobContainerUri: uri, outputBlobContainerUri: uri });
    const seconds = (performance.now() - start) / 1000;
    await assertDevices(stack, lines);
    return seconds;
  });
}

async function secondsOfDrop(content: Buffer, lines: number): Promise<number> {
  return withStack(async (stack, blobs) => {
    const start = performance.now();
    // In blocks, as the command line uploads a large file.
    await blobs
      .getContainerClient('provision')
      .getBlockBlobClient('bench/devices.txt')
      .uploadData(content, { metadata: { importmode: 'create' } });
    const record = await until('the run', async () => (await finalRecords(blobs))[0]);
    const seconds = (performance.now() - start) / 1000;
    await assertDevices(stack, lines);
    // The check warns of reported properties, which no import writes.
    const { succeeded = 0, succeededWithWarning = 0 } = record.outcomes ?? {};
    if (succeeded + succeededWithWarning !== lines)
      throw new Error(`The run ended as ${JSON.stringify(record.outcomes)}.`);
    return seconds;
  });
}

async function secondsOfSmallFiles(files: number): Promise<number> {
  return withStack(async (stack, blobs) => {
    const container = blobs.getContainerClient('provision');
    const start = performance.now();
    await Promise.all(
      [...generateDevices({ count: files, seed: 'bench', importMode: 'create' })].map((line, number) =>
        container
          .getBlockBlobClient(`file-${number}/devices.txt`)
          .upload(line, line.length, { metadata: { importmode: 'create' } }),
      ),
    );
    await until('the runs', async () => ((await finalRecords(blobs)).length === files ? true : undefined));
    const seconds = (performance.now() - start) / 1000;
    await assertDevices(stack, files);
    return seconds;
  });
}

/** The records of the runs that have ended. Their states stand in metadata too: one listing tells. */
async function finalRecords(blobs: BlobServiceClient): Promise<RunRecord[]> {
  const container = blobs.getContainerClient('hubkeeper-runs');
  const records: RunRecord[] = [];
  for await (const { name, metadata } of container.listBlobsFlat({ includeMetadata: true })) {
    if (!FINAL_STATES.includes(metadata?.['state'] ?? '')) continue;
    records.push(JSON.parse((await container.getBlobClient(name).downloadToBuffer()).toString()) as RunRecord);
  }
  return records;
}

async function assertDevices(stack: Stack, devices: number): Promise<void> {
  const state = (await (await fetch(`${stack.hubAdminUrl}/state`)).json()) as { readonly devices: number };
  if (state.devices !== devices) throw new Error(`The hub has ${state.devices} devices, not ${devices}.`);
}

const { values } = parseArgs({
  options: {
    lines: { type: 'string', default: '100000' },
    pairs: { type: 'string', default: '3' },
    files: { type: 'string', default: '30' },
  },
});
const lines = Number(values.lines);
const pairs = Number(values.pairs);
const files = Number(values.files);

if (pairs > 0) {
  const ratios: number[] = [];
  const table: Record<string, object> = {};
  for (let pair = 0; pair < pairs; pair += 1) {
    const form = FORMS[pair % FORMS.length];
    if (form === undefined) break;
    const content = devicesFile(form, lines);
    const measured = { hand: 0, run: 0 };
    for (const which of pair % 2 === 0 ? (['hand', 'run'] as const) : (['run', 'hand'] as const)) {
      measured[which] = await (which === 'hand' ? secondsByHand : secondsOfDrop)(content, lines);
    }
    const ratio = measured.run / measured.hand;
    ratios.push(ratio);
    table[`${pair + 1} ${form.name}`] = {
      'by hand s': measured.hand.toFixed(1),
      'run s': measured.run.toFixed(1),
      times: ratio.toFixed(2),
    };
  }
  console.log(`${lines} creates, on a fresh local stack each`);
  console.table(table);
  console.log(`a run takes ${median(ratios).toFixed(2)} times as long as its job by hand (at most ${MOST_TIMES})`);
  if (!(median(ratios) <= MOST_TIMES)) process.exitCode = 1;
}

if (files > 0) {
  const each = (await secondsOfSmallFiles(files)) / files;
  console.log(
    `${files} files of one line, dropped at once: ${each.toFixed(1)} s each (at most ${MOST_SECONDS_A_FILE})`,
  );
  if (!(each <= MOST_SECONDS_A_FILE)) process.exitCode = 1;
}
