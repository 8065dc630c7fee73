import { it } from 'vitest';

import { backupCrash, type CrashedWork, expectUnharmed } from '../scenarios/backupCrash.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 100_000);

const WORKS: readonly CrashedWork[] = [
  ...(['backup', 'restore', 'undo', 'verify', 'backup'] as const),
  ...(['undo', 'restore', 'backup', 'verify', 'undo', 'restore'] as const),
];

it(`backups, verifications, restores and undos whose host is killed end as if nothing had happened (SEED=${seed})`, async () => {
  const size = { devices: 3_000, modules: 200, edges: 30, configurations: 8 };
  const backups = 1 + WORKS.filter((work) => work === 'backup').length;
  expectUnharmed(await backupCrash({ size, works: WORKS, seed }), backups);
});
