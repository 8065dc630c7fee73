/**
 * Compares HubKeeper's check of a devices file with the loop that one would write oneself: readline, JSON.parse and a Set
 * of ids, which validates nothing. Same file, same process, alternating. Then the check's peak memory at 100,000 and at
 * 1,000,000 lines.
 *
 *     node bench/check.ts [--lines 200000] [--rounds 5] [--no-memory]
 *
 * Exits with 1 if the check has less than 0.7 of the loop's speed, or memory grows to more than 1.3 times.
 */

import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { type CheckSink, checkDevicesFile } from '../src/lib/devicesFile/checkDevicesFile.ts';
import { generateDevices } from '../src/lib/devicesFile/generate.ts';

const LEAST_SPEED = 0.7;
const MOST_MEMORY = 1.3;
const FEW_LINES = 100_000;
const MANY_LINES = 1_000_000;

/** Takes everything, keeps nothing. */
const sink: CheckSink = {
  device: () => undefined,
  module: () => undefined,
  rejected: () => undefined,
  skipped: () => undefined,
  warning: () => undefined,
  drain: () => undefined,
};

async function check(file: string): Promise<number> {
  const options = { importMode: 'createOrUpdate' } as const;
  const summary = await checkDevicesFile(() => createReadStream(file), options, sink);
  return summary.devices;
}

async function plainLoop(file: string): Promise<number> {
  const ids = new Set<string>();
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    ids.add((JSON.parse(line) as { id: string }).id);
  }
  return ids.size;
}

async function writeFile(file: string, lines: number): Promise<void> {
  function* blocks(): Generator<string> {
    let block = '';
    for (const line of generateDevices({ count: lines, seed: 'bench' })) {
      block += `${line}\n`;
      if (block.length > 256 * 1024) {
        yield block;
        block = '';
      }
    }
    yield block;
  }
  await pipeline(Readable.from(blocks()), createWriteStream(file));
}

async function secondsOf(work: (file: string) => Promise<number>, file: string, lines: number): Promise<number> {
  const start = performance.now();
  const found = await work(file);
  if (found !== lines) throw new Error(`${work.name} found ${found} of ${lines} devices.`);
  return (performance.now() - start) / 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function compareSpeed(file: string, lines: number, rounds: number): Promise<number> {
  // One round to warm up both.
  await secondsOf(plainLoop, file, lines);
  await secondsOf(check, file, lines);
  const loopSeconds: number[] = [];
  const checkSeconds: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    loopSeconds.push(await secondsOf(plainLoop, file, lines));
    checkSeconds.push(await secondsOf(check, file, lines));
  }
  const megabytes = statSync(file).size / 1e6;
  const row = (seconds: readonly number[]) => ({
    'median s': median(seconds).toFixed(2),
    'best s': Math.min(...seconds).toFixed(2),
    'lines/s': Math.round(lines / median(seconds)),
    'MB/s': Math.round(megabytes / median(seconds)),
  });
  console.table({ 'readline + JSON.parse + Set': row(loopSeconds), 'hubkeeper check': row(checkSeconds) });
  return median(loopSeconds) / median(checkSeconds);
}

/** Peak memory of a process of its own that checks a file of so many lines, MiB. */
async function peakMemory(directory: string, lines: number): Promise<number> {
  const file = path.join(directory, `${lines}.txt`);
  await writeFile(file, lines);
  const peak = execFileSync(process.execPath, [import.meta.filename, '--measure', file], { encoding: 'utf8' });
  rmSync(file);
  return Number(peak) / 1024;
}

const { values } = parseArgs({
  options: {
    lines: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '5' },
    memory: { type: 'boolean', default: true },
    measure: { type: 'string' },
  },
  allowNegative: true,
});

if (values.measure !== undefined) {
  await check(values.measure);
  console.log(process.resourceUsage().maxRSS);
} else {
  const directory = mkdtempSync(path.join(tmpdir(), 'hubkeeper-bench-'));
  try {
    const lines = Number(values.lines);
    const file = path.join(directory, 'devices.txt');
    await writeFile(file, lines);
    console.log(`${lines} lines, ${(statSync(file).size / 1e6).toFixed(1)} MB, Node ${process.version}`);
    const speed = await compareSpeed(file, lines, Number(values.rounds));
    console.log(`speed of the check: ${speed.toFixed(2)} of the loop's (at least ${LEAST_SPEED})`);
    if (speed < LEAST_SPEED) process.exitCode = 1;
    rmSync(file);
    if (values.memory) {
      const few = await peakMemory(directory, FEW_LINES);
      const many = await peakMemory(directory, MANY_LINES);
      console.table({ [FEW_LINES]: { 'peak MiB': few.toFixed(0) }, [MANY_LINES]: { 'peak MiB': many.toFixed(0) } });
      console.log(`memory at ten times the lines: ${(many / few).toFixed(2)} times (at most ${MOST_MEMORY})`);
      if (many / few > MOST_MEMORY) process.exitCode = 1;
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
