import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { expect, it } from 'vitest';

import { withStack } from '../helpers/stack.ts';
import { backUpWipeRestore } from '../scenarios/backupRuns.ts';
import { undoBadDrop } from '../scenarios/badDrop.ts';
import type { FleetSize } from '../scenarios/fleet.ts';

/** What may be in use after a collection with a registry 3.3 times as large, in times of that with the small one. */
const MOST_GROWTH = 1.5;
/** Heap that the host with the app is given, MiB. */
const HEAP = 96;

const LIVE_MEMORY = pathToFileURL(join(import.meta.dirname, '..', 'helpers', 'liveMemory.ts')).href;

interface Measured {
  readonly liveMegabytes: number;
  readonly peakMegabytes: number;
}

/** A round trip of its own on a host whose heap is bounded: one that runs out of it ends, and with it the run. */
async function roundTrip(size: FleetSize, folder: string): Promise<Measured> {
  const liveFile = join(folder, `${size.devices}.txt`);
  const bounded = `--max-old-space-size=${HEAP} --import ${LIVE_MEMORY}`;
  const settings = {
    HUB_TIER: 'S3',
    HUB_UNITS: '200',
    NODE_OPTIONS: bounded,
    LIVE_MEMORY_FILE: liveFile,
  };
  return withStack({ unkind: false, settings }, async (stack) => {
    const { restored, differences, seconds } = await backUpWipeRestore(stack, size, 1_800_000);
    expect(differences).toEqual([]);
    expect(restored).toMatchObject({ state: 'completed', outcomes: { failed: 0, unconfirmed: 0 } });
    const status = await readFile(`/proc/${stack.pids().host}/status`, 'utf8');
    const measured = {
      liveMegabytes: Number(await readFile(liveFile, 'utf8')) / 2 ** 20,
      peakMegabytes: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024,
    };
    console.log(
      `${size.devices} devices, ${size.modules} modules, ${size.edges} edge devices: backup ${seconds.backup.toFixed(1)} s, ` +
        `restore ${seconds.restore.toFixed(1)} s, ${measured.liveMegabytes.toFixed(0)} MiB in use, ` +
        `${measured.peakMegabytes.toFixed(0)} MiB the process at its peak`,
    );
    return measured;
  });
}

it('a large registry is backed up, wiped out and restored to what it was, in the memory that a small one needs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hubkeeper-backup-'));
  try {
    const small = await roundTrip({ devices: 30_000, modules: 3_000, edges: 300, configurations: 20 }, folder);
    const large = await roundTrip({ devices: 100_000, modules: 10_000, edges: 1_000, configurations: 20 }, folder);
    expect(large.liveMegabytes).toBeLessThanOrEqual(small.liveMegabytes * MOST_GROWTH);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it('a drop that harmed 5,300 devices of a large registry is undone', async () => {
  await withStack({ settings: { HUB_TIER: 'S3', HUB_UNITS: '200' } }, async (stack) => {
    const size = { devices: 20_000, modules: 2_000, edges: 300, configurations: 20 };
    const { undone, harm, differences } = await undoBadDrop(
      stack,
      size,
      { tags: 5_000, deletes: 200, disables: 100 },
      1_800_000,
    );
    expect(harm).toBeGreaterThan(5_300);
    expect(differences).toEqual([]);
    expect(undone).toMatchObject({ state: 'completed', outcomes: { failed: 0, unconfirmed: 0 } });
  });
});
