/**
 * Loaded into a process that is to be measured (`--import`): collects all garbage ten times a second, or as often as that takes
 * a tenth of the time, and notes the most that was left, bytes of heap and buffers together, in the file `LIVE_MEMORY_FILE`. What a process holds at its peak otherwise
 * says more of when its garbage was last collected than of what it needs.
 */

import { writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Often enough to see the most of a run of a hundred thousand lines, which takes a few seconds. */
const EVERY_MS = 100;
/** A pause is so many times as long as the collection before it: on a slow machine there would be little else. */
const IDLE_TIMES = 9;

const file = process.env.LIVE_MEMORY_FILE;
if (file !== undefined) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let most = 0;
  const look = () => {
    const start = performance.now();
    collect();
    const took = performance.now() - start;
    setTimeout(look, Math.max(EVERY_MS, took * IDLE_TIMES)).unref();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    if (heapUsed + arrayBuffers <= most) return;
    most = heapUsed + arrayBuffers;
    writeFileSync(file, String(most));
  };
  setTimeout(look, EVERY_MS).unref();
}
