import { expect, it } from 'vitest';

import { mirrorRun } from '../scenarios/mirrorRun.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 100_000);
const events = Number(process.env['EVENTS'] ?? 1_000_000);
const devices = Number(process.env['DEVICES'] ?? 50_000);
const kills = Number(process.env['KILLS'] ?? 10);

it(`${events} events of ${devices} devices end in the state of the registry, whatever happens to them (SEED=${seed})`, async () => {
  const startedAt = performance.now();
  const tell = (text: string) => console.log(`${((performance.now() - startedAt) / 1000).toFixed(0)} s: ${text}`);
  const result = await mirrorRun({ events, devices, kills, seed, tell });
  tell(`${result.events} events, ${result.identities} identities`);
  expect(result).toMatchObject({ differences: [], differing: 0, left: [], reconciles: 0 });
});
