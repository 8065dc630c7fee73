/**
 * Loaded into a process that is to be measured (`--import`): collects all garbage ten times a second and notes the most that
 * was left, bytes of heap and buffers together, in the file `LIVE_MEMORY_FILE`. What a process holds at its peak otherwise
 * says more of when its garbage was last collected than of what it needs.
 */

import { writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Often enough to see the most of a run of a hundred thousand lines, which takes a few seconds. */
const EVERY_MS = 100;

const file = process.env.LIVE_MEMORY_FILE;
if (file !== undefined) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let most = 0;
  setInterval(() => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    if (heapUsed + arrayBuffers <= most) return;
    most = heapUsed + arrayBuffers;
    writeFileSync(file, String(most));
  }, EVERY_MS).unref();
}
