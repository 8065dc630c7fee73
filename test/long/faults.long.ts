import { expect, it } from 'vitest';

import { runSchedules } from '../scenarios/runSchedule.ts';

const number = (name: string, fallback: number) => Number(process.env[name] ?? fallback);
// FAULT_SEED is the first of FAULT_COUNT seeds in a row. Without it the series is a fresh one, told in the name of the test;
// FAULT_STACKS stacks share the work.
const first = number('FAULT_SEED', Date.now() % 1_000_000);
const count = number('FAULT_COUNT', 200);

it(`${count} random fault schedules end with the truth about every line (FAULT_SEED=${first} FAULT_COUNT=${count})`, async () => {
  const seeds = Array.from({ length: count }, (_, index) => first + index);
  const started = performance.now();
  const results = await runSchedules(seeds, Math.min(count, number('FAULT_STACKS', 3)));
  const wrong = results.filter(({ problems }) => problems.length > 0);
  console.log(
    `${results.length} schedules in ${((performance.now() - started) / 1000).toFixed(0)} s, ${wrong.length} with problems: ${wrong.map(({ seed }) => seed).join(', ')}`,
  );
  expect(wrong).toEqual([]);
  expect(results).toHaveLength(count);
});
