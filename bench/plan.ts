/**
 * Compares `hubkeeper plan` of two files with what one would type in a shell: each through `jq -S -c . | sort`, then `comm`.
 * Whole processes on the same files, alternating. Two pairs of files: of `hubkeeper generate`, most lines the same, byte for
 * byte; and as a hub exports them, the second with other ETags, other order of keys and other order of lines, so that no two
 * lines are the same text. Then the peak memory of the plan at 200,000 and at 1,000,000 lines.
 *
 *     node bench/plan.ts [--lines 200000] [--rounds 3] [--seed N] [--pair generated]... [--no-memory]
 *
 * Exits with 1 if the plan is slower than the shell on one pair, or memory grows to more than 1.3 times. Without jq only
 * memory is measured.
 */

import { spawnSync } from 'node:child_process';
import { createReadStream, createWriteStream, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';

import { generateDevices } from '../src/lib/devicesFile/generate.ts';
import { writeKind } from './kinds.ts';
import { type Measured, measure, median } from './measure.ts';

const PAIRS = ['generated', 'exported'] as const;
type PairName = (typeof PAIRS)[number];
const TEXTS: Readonly<Record<PairName, string>> = {
  generated: 'generated, 1 % changed',
  exported: "a hub's exports, all written otherwise, 1 % changed",
};

/** Least speed of the plan, in speeds of the shell. */
const GOAL = 1;
const MOST_MEMORY = 1.3;
const FEW_LINES = 200_000;
const MANY_LINES = 1_000_000;
/** Lines that change places. */
const TURNED_LINES = 1000;

const CLI = path.join(path.dirname(import.meta.dirname), 'dist', 'cli', 'main.js');
const SHELL = `set -e -o pipefail; export LC_ALL=C
comm -3 <(jq -S -c . "$1" | sort) <(jq -S -c . "$2" | sort) | wc -l`;

interface Files {
  readonly before: string;
  readonly after: string;
}

/** There are changes, so it ends with 1. */
const plan = ({ before, after }: Files): Measured => measure(CLI, ['plan', before, after], [1]);

/** Seconds. */
function shell({ before, after }: Files): number {
  const start = performance.now();
  const { status, stderr } = spawnSync('bash', ['-c', SHELL, 'bash', before, after], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`jq, sort and comm ended with ${status}:\n${stderr}`);
  return (performance.now() - start) / 1000;
}

function isThere(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined;
}

async function writePair(name: PairName, files: Files, lines: number): Promise<void> {
  if (name === 'exported') await writeKind('export', files.before, lines, seed);
  else await writeBlocks(files.before, generateDevices({ count: lines, seed: String(seed) }));
  await writeBlocks(files.after, name === 'exported' ? writtenOtherwise(files.before) : withChanges(files.before));
}

/** Every hundredth line has another tag. */
async function* withChanges(file: string): AsyncGenerator<string> {
  let number = 0;
  for await (const line of linesOf(file)) {
    number += 1;
    yield number % 100 === 0 ? line.replace('"tags":{', `"tags":{"bench":${number},`).replace(',}', '}') : line;
  }
}

async function* writtenOtherwise(file: string): AsyncGenerator<string> {
  let number = 0;
  let turned: string[] = [];
  for await (const text of withChanges(file)) {
    number += 1;
    const line = { ...(JSON.parse(text) as object), eTag: `e${number}`, twinETag: `t${number}` };
    turned.push(JSON.stringify(Object.fromEntries(Object.entries(line).reverse())));
    if (turned.length < TURNED_LINES) continue;
    yield* turned.reverse();
    turned = [];
  }
  yield* turned.reverse();
}

function linesOf(file: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
}

async function writeBlocks(file: string, lines: Iterable<string> | AsyncIterable<string>): Promise<void> {
  async function* blocks(): AsyncGenerator<string> {
    let block = '';
    for await (const line of lines) {
      block += `${line}\n`;
      if (block.length < 256 * 1024) continue;
      yield block;
      block = '';
    }
    yield block;
  }
  await pipeline(Readable.from(blocks()), createWriteStream(file));
}

interface Row {
  readonly files: string;
  readonly 'plan s': string;
  readonly 'shell s': string;
  readonly 'plan cpu s': string;
  readonly 'MB/s': number;
  readonly speed: string;
  readonly goal: string;
}

/** Pairs of the two, one after the other, so that both see the machine as it is at that time. */
function compare(name: PairName, files: Files, rounds: number): { readonly row: Row; readonly reached: boolean } {
  plan(files);
  shell(files);
  const measured = Array.from({ length: rounds }, () => ({ plan: plan(files), shell: shell(files) }));
  const seconds = median(measured.map((round) => round.plan.seconds));
  const speed = median(measured.map((round) => round.shell / round.plan.seconds));
  const row = {
    files: TEXTS[name],
    'plan s': seconds.toFixed(2),
    'shell s': median(measured.map((round) => round.shell)).toFixed(2),
    'plan cpu s': median(measured.map((round) => round.plan.cpuSeconds)).toFixed(2),
    'MB/s': Math.round((statSync(files.before).size + statSync(files.after).size) / 1e6 / seconds),
    speed: speed.toFixed(2),
    goal: GOAL.toFixed(2),
  };
  return { row, reached: speed >= GOAL };
}

async function inFiles<T>(directory: string, name: PairName, lines: number, use: (files: Files) => T): Promise<T> {
  const files = { before: path.join(directory, 'before.txt'), after: path.join(directory, 'after.txt') };
  await writePair(name, files, lines);
  try {
    return use(files);
  } finally {
    for (const file of Object.values(files)) rmSync(file);
  }
}

const { values } = parseArgs({
  options: {
    lines: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '3' },
    seed: { type: 'string' },
    pair: { type: 'string', multiple: true },
    memory: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const pairs = PAIRS.filter((name) => values.pair?.includes(name) ?? true);
if (!existsSync(CLI)) throw new Error('There is no dist: run npm run build first.');

const directory = mkdtempSync(path.join(tmpdir(), 'hubkeeper-bench-'));
try {
  const lines = Number(values.lines);
  console.log(`plan of two files of ${lines} lines, seed ${seed}, ${values.rounds} rounds, Node ${process.version}`);
  if (isThere('jq')) {
    const rows: Row[] = [];
    for (const name of pairs) {
      const { row, reached } = await inFiles(directory, name, lines, (files) =>
        compare(name, files, Number(values.rounds)),
      );
      rows.push(row);
      if (!reached) process.exitCode = 1;
    }
    console.table(rows);
    console.log('speed: hubkeeper plan, in speeds of jq, sort and comm; whole processes, from start to exit.');
  } else {
    console.log('jq is not there (apt-get install jq): the speed was not compared.');
  }
  for (const name of values.memory ? pairs : []) {
    const few = await inFiles(directory, name, FEW_LINES, (files) => plan(files).peakMegabytes);
    const many = await inFiles(directory, name, MANY_LINES, (files) => plan(files).peakMegabytes);
    const growth = many / few;
    console.log(
      `${TEXTS[name]}: peak memory ${few.toFixed(0)} MiB at ${FEW_LINES} lines, ${many.toFixed(0)} MiB at ` +
        `${MANY_LINES}: ${growth.toFixed(2)} times (at most ${MOST_MEMORY})`,
    );
    if (growth > MOST_MEMORY) process.exitCode = 1;
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
