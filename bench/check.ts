/**
 * Compares `hubkeeper check` with the loop that one would write oneself, which validates nothing: readline, JSON.parse and a
 * Set of ids; for CSV, csv-parse and a Set. Whole processes on the same files, alternating, and the files are as others
 * write them (see `kinds.ts`). Then the check's peak memory at 100,000 and at 1,000,000 lines.
 *
 *     node bench/check.ts [--lines 500000] [--rounds 5] [--seed N] [--kind plain]... [--no-memory]
 *
 * Exits with 1 if the check is slower than its goal on one kind, or memory grows to more than 1.3 times.
 */

import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { KIND_TEXTS, KINDS, type Kind, LINE_KINDS, writeKind } from './kinds.ts';
import { type Measured, measure, median } from './measure.ts';

/** Least speed of the check, in speeds of the loop. */
const GOALS: Readonly<Record<Kind, number>> = { plain: 1, export: 1, mixed: 1, csv: 0.3 };
const MOST_MEMORY = 1.3;
const FEW_LINES = 100_000;
const MANY_LINES = 1_000_000;

const ROOT = path.dirname(import.meta.dirname);
const CLI = path.join(ROOT, 'dist', 'cli', 'main.js');
const LOOP = path.join(import.meta.dirname, 'loop.ts');

const check = (file: string): Measured => measure(CLI, ['check', file]);
const loop = (file: string): Measured => measure(LOOP, [file]);

interface Row {
  readonly kind: string;
  readonly 'check s': string;
  readonly 'loop s': string;
  readonly 'check cpu s': string;
  readonly 'loop cpu s': string;
  readonly 'MB/s': number;
  readonly speed: string;
  readonly goal: string;
}

/** Pairs of the two, one after the other, so that both see the machine as it is at that time. */
function compare(kind: Kind, file: string, rounds: number): { readonly row: Row; readonly reached: boolean } {
  check(file);
  loop(file);
  const pairs = Array.from({ length: rounds }, () => ({ check: check(file), loop: loop(file) }));
  const seconds = (of: 'check' | 'loop') => median(pairs.map((pair) => pair[of].seconds));
  const cpuSeconds = (of: 'check' | 'loop') => median(pairs.map((pair) => pair[of].cpuSeconds));
  const speed = median(pairs.map((pair) => pair.loop.seconds / pair.check.seconds));
  const row = {
    kind: KIND_TEXTS[kind],
    'check s': seconds('check').toFixed(2),
    'loop s': seconds('loop').toFixed(2),
    'check cpu s': cpuSeconds('check').toFixed(2),
    'loop cpu s': cpuSeconds('loop').toFixed(2),
    'MB/s': Math.round(statSync(file).size / 1e6 / seconds('check')),
    speed: speed.toFixed(2),
    goal: GOALS[kind].toFixed(2),
  };
  return { row, reached: speed >= GOALS[kind] };
}

async function inFile<T>(directory: string, kind: Kind, lines: number, use: (file: string) => T): Promise<T> {
  const file = path.join(directory, `${kind}-${lines}.${kind === 'csv' ? 'csv' : 'txt'}`);
  await writeKind(kind, file, lines, seed);
  try {
    return use(file);
  } finally {
    rmSync(file);
  }
}

const { values } = parseArgs({
  options: {
    lines: { type: 'string', default: '500000' },
    rounds: { type: 'string', default: '5' },
    seed: { type: 'string' },
    kind: { type: 'string', multiple: true },
    memory: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const kinds = KINDS.filter((kind) => values.kind?.includes(kind) ?? true);
if (!existsSync(CLI)) throw new Error('There is no dist: run npm run build first.');

const directory = mkdtempSync(path.join(tmpdir(), 'hubkeeper-bench-'));
try {
  const lines = Number(values.lines);
  console.log(`${lines} lines of each kind, seed ${seed}, ${values.rounds} rounds, Node ${process.version}`);
  const rows: Row[] = [];
  for (const kind of kinds) {
    const { row, reached } = await inFile(directory, kind, lines, (file) => compare(kind, file, Number(values.rounds)));
    rows.push(row);
    if (!reached) process.exitCode = 1;
  }
  console.table(rows);
  console.log('speed: hubkeeper check, in speeds of the loop; both are whole processes, from start to exit.');
  for (const kind of values.memory ? LINE_KINDS.filter((line) => kinds.includes(line)) : []) {
    const few = await inFile(directory, kind, FEW_LINES, (file) => check(file).peakMegabytes);
    const many = await inFile(directory, kind, MANY_LINES, (file) => check(file).peakMegabytes);
    const growth = many / few;
    console.log(
      `${KIND_TEXTS[kind]}: peak memory ${few.toFixed(0)} MiB at ${FEW_LINES} lines, ${many.toFixed(0)} MiB at ` +
        `${MANY_LINES}: ${growth.toFixed(2)} times (at most ${MOST_MEMORY})`,
    );
    if (growth > MOST_MEMORY) process.exitCode = 1;
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
