import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';

import { expect, it } from 'vitest';

import { generateDevices } from '../../src/lib/devicesFile/generate.ts';
import { NOW, type TestStack, withStack } from '../helpers/stack.ts';

interface Measured {
  readonly lines: number;
  readonly seconds: number;
  readonly peakMegabytes: number;
}

/** Provisions a generated file on a freshly started host and reads the peak memory (VmHWM) of its process. */
async function provision(stack: TestStack, lines: number): Promise<Measured> {
  await stack.restartHost();
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
  return { lines, seconds, peakMegabytes: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024 };
}

it('a million lines are provisioned, and take at most 1.3 times the memory of a hundred thousand', async () => {
  await withStack({ unkind: false }, async (stack) => {
    const small = await provision(stack, 100_000);
    const large = await provision(stack, 1_000_000);
    for (const { lines, seconds, peakMegabytes } of [small, large]) {
      console.log(
        `${lines} lines: ${seconds.toFixed(1)} s from drop to report, peak memory of the host with the app ${peakMegabytes.toFixed(0)} MB`,
      );
    }
    const ratio = large.peakMegabytes / small.peakMegabytes;
    console.log(`ratio of the peaks: ${ratio.toFixed(2)}`);
    expect((await stack.hubState()).devices).toBe(1_100_000);
    expect(ratio).toBeLessThanOrEqual(1.3);
  });
});
