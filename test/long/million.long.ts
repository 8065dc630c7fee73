import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';

import { expect, it } from 'vitest';

import { generateDevices } from '../../src/lib/devicesFile/generate.ts';
import { NOW, type TestStack, withStack } from '../helpers/stack.ts';

/** Heap that the host with the app is given, MiB: half as much again as what a hundred thousand lines just fit in, 64. */
const HEAP = 96;
/** What may be left after a collection at a million lines, in times of that at a hundred thousand. */
const MOST_GROWTH = 1.25;

const LIVE_MEMORY = pathToFileURL(join(import.meta.dirname, '..', 'helpers', 'liveMemory.ts')).href;

interface Measured {
  readonly lines: number;
  readonly seconds: number;
  /** The most that was in use once the garbage was collected: heap and buffers. */
  readonly liveMegabytes: number;
  /** The most that the process ever had, garbage and code with it. */
  readonly peakMegabytes: number;
}

/** Provisions a generated file on a freshly started host whose heap is bounded. */
async function provision(stack: TestStack, lines: number, folder: string): Promise<Measured> {
  const liveFile = join(folder, `${lines}.txt`);
  const bounded = `--max-old-space-size=${HEAP} --import ${LIVE_MEMORY}`;
  await stack.restartHost({ settings: { NODE_OPTIONS: bounded, LIVE_MEMORY_FILE: liveFile } });
  const name = `million-${lines}/devices.txt`;
  const generated = generateDevices({ count: lines, seed: String(lines), prefix: `m${lines}-`, importMode: 'create' });
  function* text() {
    for (const line of generated) yield Buffer.from(`${line}\n`);
  }
  await stack.blobs
    .getContainerClient('provision')
    .getBlockBlobClient(name)
    .uploadStream(Readable.from(text(), { objectMode: false }), 8 * 1024 * 1024, 2, { metadata: NOW });
  const started = Date.now();
  const record = await stack.finalRecord(name, 1_800_000);
  const seconds = (Date.now() - started) / 1000;
  expect(record).toMatchObject({ state: 'completed', outcomes: { succeeded: lines } });
  const status = await readFile(`/proc/${stack.pids().host}/status`, 'utf8');
  return {
    lines,
    seconds,
    liveMegabytes: Number(await readFile(liveFile, 'utf8')) / 2 ** 20,
    peakMegabytes: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024,
  };
}

it('a million lines are provisioned in the memory that a hundred thousand need', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hubkeeper-million-'));
  try {
    await withStack({ unkind: false }, async (stack) => {
      // A host that runs out of its heap ends, and with it the run.
      const small = await provision(stack, 100_000, folder);
      const large = await provision(stack, 1_000_000, folder);
      for (const { lines, seconds, liveMegabytes, peakMegabytes } of [small, large]) {
        console.log(
          `${lines} lines in a heap of ${HEAP} MiB: ${seconds.toFixed(1)} s from drop to report, ` +
            `${liveMegabytes.toFixed(0)} MiB in use, ${peakMegabytes.toFixed(0)} MiB the process at its peak`,
        );
      }
      expect((await stack.hubState()).devices).toBe(1_100_000);
      expect(large.liveMegabytes).toBeLessThanOrEqual(small.liveMegabytes * MOST_GROWTH);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
