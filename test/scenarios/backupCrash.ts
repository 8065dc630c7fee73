import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from 'vitest';

import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { hubContainer } from '../helpers/hubContainer.ts';
import { demandRest } from '../helpers/hubRest.ts';
import { type TestStack, withStack } from '../helpers/stack.ts';
import { backUp, beginWork, hubNameOf } from './backupRuns.ts';
import { buildFleet, type FleetSize, importLines } from './fleet.ts';
import { differences, registryState } from './registryState.ts';
import { createSeededRandom } from './seededRandom.ts';

/** What is under way when the host is killed. */
export type CrashedWork = 'backup' | 'verify' | 'restore' | 'undo';

export interface BackupCrashOptions {
  readonly size: FleetSize;
  /** One kill each, in this order. */
  readonly works: readonly CrashedWork[];
  readonly seed: number;
}

export interface BackupCrashResult {
  /** A line a kill that did not end as if there had been none. */
  readonly wrong: readonly string[];
  /** Backups that the app calls good. */
  readonly good: number;
}

/** The latest moment of a kill, ms after the work was asked for. */
const LATEST_MS: Readonly<Record<CrashedWork, number>> = {
  backup: 6_000,
  verify: 1_500,
  restore: 14_000,
  undo: 10_000,
};

/**
 * Kills the host (SIGKILL) at seeded random moments of backups, verifications, restores and undos, and starts it again, in
 * unkind mode. After each: the work has ended as it would have; the registry is what it was before something was done to it;
 * and each backup that the app calls good is compared with its manifest and with the registry, by code of the test's own.
 */
export async function backupCrash({ size, works, seed }: BackupCrashOptions): Promise<BackupCrashResult> {
  const random = createSeededRandom(seed);
  const settings = { HUB_TIER: 'S3', HUB_UNITS: '10', BACKUP_KEEP: 'last=100' };
  // Jobs take their time, so that kills fall into them as well.
  const hubArgs = ['--job-rate', String(Math.ceil(size.devices / 2))];
  return withStack({ unkind: seed, hubArgs, settings }, async (stack) => {
    const container = await hubContainer(stack.blobs);
    await buildFleet(stack.rest, container, size);
    const before = await registryState(stack.rest, container);
    const backup = await backUp(stack);
    const wrong: string[] = [];
    for (const [at, work] of works.entries()) {
      const runId = await begin(stack, work, backup);
      const delay = Math.floor(random.next() * LATEST_MS[work]);
      const where = `${work} ${at + 1}, killed after ${delay} ms`;
      await sleep(delay);
      await stack.killHost();
      await stack.restartHost();
      const run = await stack.finalRun<WorkRun>(runId, 300_000);
      if (run.state !== 'completed') wrong.push(`${where}: it ended as ${run.state}: ${JSON.stringify(run.error)}`);
      const differing = differences(before, await registryState(stack.rest, container));
      if (differing.length > 0) wrong.push(`${where}: ${differing.length} differences, such as ${differing[0]}`);
      wrong.push(...(await falselyGood(stack, size)).map((what) => `${where}: ${what}`));
    }
    const good = (await goodBackups(stack)).length;
    return { wrong, good };
  });
}

async function begin(stack: TestStack, work: CrashedWork, backup: string): Promise<string> {
  switch (work) {
    case 'backup':
      return beginWork(stack, 'backups');
    case 'verify':
      return beginWork(stack, 'backups/verify');
    case 'restore':
      await spoil(stack);
      return beginWork(stack, 'restores', { backup, mode: 'exact', confirm: hubNameOf(stack) });
    case 'undo': {
      const { runId } = await badDrop(stack);
      return beginWork(stack, `runs/${runId}/undo`, { confirm: hubNameOf(stack) });
    }
  }
}

/** Deletes some, changes some, adds some: by a job of the test's own. */
async function spoil(stack: TestStack): Promise<void> {
  const lines = [];
  for (let index = 10; index < 60; index += 1) {
    const id = `leaf-${index}`;
    if (index % 2 === 0) lines.push({ id, importMode: 'delete', status: 'enabled' });
    else lines.push({ id, importMode: 'updateTwin', status: 'enabled', tags: { spoilt: index } });
    lines.push({ id: `intruder-${index}`, importMode: 'create', status: 'enabled' });
  }
  await importLines(
    stack.rest,
    await hubContainer(stack.blobs),
    lines.map((line) => `${JSON.stringify(line)}\n`),
  );
  await demandRest(stack.rest, 'DELETE', '/configurations/configuration-0');
}

let drops = 0;

async function badDrop(stack: TestStack) {
  const name = `bad-${drops++}/devices.txt`;
  const lines = Array.from({ length: 300 }, (_, index) => {
    const id = `leaf-${index + 10}`;
    // None that has modules: an export does not tell who managed them.
    const isDeleted = index % 10 === 0 && (index + 10) % 3 !== 0;
    return isDeleted ? { id, importMode: 'delete' } : { id, importMode: 'update', tags: { wrong: index } };
  });
  const text = lines.map((line) => JSON.stringify(line)).join('\n');
  await stack.drop(name, text, { hubkeeper: 'test', confirm: hubNameOf(stack) });
  return stack.finalRecord(name, 180_000);
}

async function goodBackups(stack: TestStack): Promise<string[]> {
  const { backups } = (await stack.api('GET', 'backups?limit=1000')).body as {
    backups: { backup: string; state: string }[];
  };
  return backups.filter(({ state }) => state === 'good').map(({ backup }) => backup);
}

interface Manifest {
  readonly devices: number;
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string; readonly lines: number }>>;
}

/** What is wrong with backups that are called good: read from storage, compared with their manifest and with the fleet. */
async function falselyGood(stack: TestStack, size: FleetSize): Promise<string[]> {
  const wrong: string[] = [];
  for (const backup of await goodBackups(stack)) {
    const manifest = JSON.parse(await stack.read('registry-backups', `${backup}/manifest.json`)) as Manifest;
    for (const [file, { bytes, sha256, lines }] of Object.entries(manifest.files)) {
      const text = await stack.read('registry-backups', `${backup}/${file}`);
      const found = text.split(/\r?\n/).filter((line) => line.startsWith('{'));
      for (const line of found) JSON.parse(line);
      const isAs =
        Buffer.byteLength(text) === bytes &&
        createHash('sha256').update(text).digest('hex') === sha256 &&
        found.length === lines;
      if (!isAs) wrong.push(`${backup} is called good, and its ${file} is not what its manifest says`);
    }
    if (manifest.devices !== size.devices) wrong.push(`${backup} is called good, and has ${manifest.devices} devices`);
  }
  return wrong;
}

/** That a result is as if nothing had been killed. */
export function expectUnharmed({ wrong, good }: BackupCrashResult, backups: number): void {
  expect(wrong).toEqual([]);
  expect(good).toBe(backups);
}
