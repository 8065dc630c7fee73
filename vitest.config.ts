import { defineConfig } from 'vitest/config';

// Set by the gate, which reads the counts of the run from this file.
const resultFile = process.env['HUBKEEPER_TEST_RESULT'];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Two cores: end-to-end tests start whole stacks of their own, more than two at a time only slow each other down.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: resultFile === undefined ? ['default'] : ['default', 'json'],
    ...(resultFile === undefined ? {} : { outputFile: { json: resultFile } }),
  },
});
