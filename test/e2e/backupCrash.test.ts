import { it } from 'vitest';

import { backupCrash, expectUnharmed } from '../scenarios/backupCrash.ts';

it('a backup and a restore whose host is killed end as if nothing had happened', async () => {
  const size = { devices: 600, modules: 40, edges: 9, configurations: 4 };
  expectUnharmed(await backupCrash({ size, works: ['backup', 'restore'], seed: 5 }), 2);
});
