/**
 * Compares a backup with the least that one could do by hand: an export job and a download of what it wrote.
 *
 * One local stack with a registry of generated devices. In pairs, who begins alternates: once the job is made and watched by
 * hand in the way that Azure documents it (a container with a SAS, POST /jobs/create, GET /jobs/{id} twice a second) and its
 * blob is downloaded to a file; once `POST /api/backups` is called and the record of the run looked at twice a second until
 * it is final: exported, every line parsed, counted, copied, read again, sealed. What an export lacks is not asked for.
 *
 *     node bench/backup.ts [--devices 200000] [--pairs 5]
 *
 * Exits with 1 if a backup takes more than 1.5 times as long.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { parseArgs } from 'node:util';

import type { BlobServiceClient } from '@azure/storage-blob';

import type { Stack } from '../local/stack/index.ts';
import { generateDevices } from '../src/lib/devicesFile/generate.ts';
import { readText } from '../src/lib/storage/readText.ts';
import { containerUri, jobByHand, until, withStack } from './byHand.ts';
import { median } from './measure.ts';

const MOST_TIMES = 1.5;

async function fill(stack: Stack, blobs: BlobServiceClient, devices: number): Promise<void> {
  const container = blobs.getContainerClient('by-hand');
  await container.create();
  function* bytes() {
    let block = '';
    for (const line of generateDevices({ count: devices, seed: 'bench', importMode: 'create' })) {
      block += `${line}\n`;
      if (block.length < 1024 * 1024) continue;
      yield Buffer.from(block);
      block = '';
    }
    yield Buffer.from(block);
  }
  const blob = container.getBlockBlobClient('devices.txt');
  await blob.uploadStream(Readable.from(bytes(), { objectMode: false }), 4 * 1024 * 1024, 2);
  const uri = await containerUri(container);
  await jobByHand(stack, { type: 'import', inputBlobContainerUri: uri, outputBlobContainerUri: uri });
  await blob.delete();
}

async function secondsByHand(stack: Stack, blobs: BlobServiceClient): Promise<number> {
  const container = blobs.getContainerClient('by-hand');
  const folder = mkdtempSync(path.join(tmpdir(), 'hubkeeper-bench-'));
  try {
    const start = performance.now();
    await jobByHand(stack, { type: 'export', outputBlobContainerUri: await containerUri(container) });
    await container.getBlockBlobClient('devices.txt').downloadToFile(path.join(folder, 'devices.txt'));
    return (performance.now() - start) / 1000;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Run {
  readonly runId: string;
  readonly state: string;
  readonly finishedAt?: string;
  readonly result?: { readonly devices?: number; readonly verified?: boolean };
}

async function secondsOfBackup(stack: Stack, blobs: BlobServiceClient, devices: number): Promise<number> {
  const start = performance.now();
  const begun = await fetch(`${stack.apiUrl}/backups`, { method: 'POST' });
  if (!begun.ok) throw new Error(`The backup was refused: ${begun.status} ${await begun.text()}`);
  const { runId } = (await begun.json()) as Run;
  const record = blobs.getContainerClient('hubkeeper-runs').getBlockBlobClient(`${runId}.json`);
  const run = await until('the backup', async () => {
    const { state, result } = JSON.parse((await readText(record)).text) as Run;
    return state === 'accepted' || state === 'running' ? undefined : { state, result };
  });
  const seconds = (performance.now() - start) / 1000;
  if (run.state !== 'completed' || run.result?.verified !== true || run.result.devices !== devices) {
    throw new Error(`The backup ended as ${JSON.stringify(run)}.`);
  }
  return seconds;
}

const { values } = parseArgs({
  options: { devices: { type: 'string', default: '200000' }, pairs: { type: 'string', default: '5' } },
});
const devices = Number(values.devices);
const settings = { BACKUP_EXTRAS_MINUTES: '0', BACKUP_SCHEDULE: 'off', BACKUP_VERIFY_SCHEDULE: 'off' };

await withStack(async (stack, blobs) => {
  await fill(stack, blobs, devices);
  const ratios: number[] = [];
  const table: Record<string, object> = {};
  for (let pair = 0; pair < Number(values.pairs); pair += 1) {
    const measured = { hand: 0, backup: 0 };
    for (const which of pair % 2 === 0 ? (['hand', 'backup'] as const) : (['backup', 'hand'] as const)) {
      measured[which] = await (which === 'hand' ? secondsByHand(stack, blobs) : secondsOfBackup(stack, blobs, devices));
    }
    const ratio = measured.backup / measured.hand;
    ratios.push(ratio);
    table[pair + 1] = {
      'by hand s': measured.hand.toFixed(1),
      'backup s': measured.backup.toFixed(1),
      times: ratio.toFixed(2),
    };
  }
  console.log(`backups of ${devices} devices`);
  console.table(table);
  console.log(
    `a backup takes ${median(ratios).toFixed(2)} times as long as export and download (at most ${MOST_TIMES})`,
  );
  if (!(median(ratios) <= MOST_TIMES)) process.exitCode = 1;
}, settings);
