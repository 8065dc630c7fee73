import { join } from 'node:path';

import { defineConfig } from 'vitest/config';

// Set by the gate, which reads the counts of the run from this file.
const resultFile = process.env['HUBKEEPER_TEST_RESULT'];

// Tests start hundreds of Node processes, of the same sources: each is compiled once. Workers and what they start inherit it.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules', '.cache', 'compiled');

/** Pure code and storage, in hundreds of files: they start nothing and change no global, so they share their worker. */
const UNITS = ['test/{lib,hosting,orchestrations,functions}/**/*.test.ts', 'test/cli/render/**/*.test.ts'];

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'units', include: UNITS, isolate: false } },
      { extends: true, test: { name: 'processes', include: ['test/**/*.test.ts'], exclude: UNITS } },
    ],
    globalSetup: 'test/helpers/sharedAzurite.ts',
    // End-to-end tests start whole stacks of their own, and wait much: two at a time leave two cores idle for half of the time.
    maxWorkers: 3,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: resultFile === undefined ? ['default'] : ['default', 'json'],
    ...(resultFile === undefined ? {} : { outputFile: { json: resultFile } }),
  },
});
