/** Scripts run in processes of their own, and what they took. */

import { spawnSync } from 'node:child_process';

export interface Measured {
  readonly seconds: number;
  /** Of the processors, user and system. */
  readonly cpuSeconds: number;
  readonly peakMegabytes: number;
}

/**
 * Runs a script to its end, in a process of its own that says what it took.
 *
 * @param exitCodes those that it may end with
 */
export function measure(script: string, args: readonly string[], exitCodes: readonly number[] = [0]): Measured {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ['--import', MEASURE, script, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const seconds = (performance.now() - start) / 1000;
  const [, cpu, peak] = /^measured (\d+) (\d+)$/m.exec(stderr) ?? [];
  if (status === null || !exitCodes.includes(status) || cpu === undefined || peak === undefined) {
    throw new Error(`${[script, ...args].join(' ')} ended with ${status}:\n${stderr}`);
  }
  return { seconds, cpuSeconds: Number(cpu) / 1e6, peakMegabytes: Number(peak) / 1024 };
}

/** Told by the process itself at its end: it is to be the one that is measured. */
const MEASURE = `data:text/javascript,${encodeURIComponent(
  `process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    process.stderr.write('\\nmeasured ' + (userCPUTime + systemCPUTime) + ' ' + maxRSS + '\\n');
  });`,
)}`;

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
