import { defineConfig } from 'vitest/config';

// Long runs, started by scripts of their own; the gate has a short form of each.
export default defineConfig({
  test: {
    include: ['test/long/**/*.long.ts'],
    fileParallelism: false,
    // What they print is their report: as it is, and at once.
    disableConsoleIntercept: true,
    testTimeout: 3_600_000,
    hookTimeout: 120_000,
  },
});
