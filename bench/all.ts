/** Runs all benchmarks, one after another, each to its end. Exits with 1 if one missed its goal. */

import { spawnSync } from 'node:child_process';
import path from 'node:path';

for (const name of ['check.ts', 'plan.ts', 'backup.ts', 'runs.ts', 'mirror.ts']) {
  const { status } = spawnSync(process.execPath, [path.join(import.meta.dirname, name)], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
