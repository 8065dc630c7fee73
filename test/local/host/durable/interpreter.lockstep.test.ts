import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startEngine } from './engineProcess.ts';

type Call =
  | { readonly kind: 'activity'; readonly value: number }
  | { readonly kind: 'retry'; readonly failures: number; readonly value: number }
  | { readonly kind: 'exhausted'; readonly attempts: number }
  | { readonly kind: 'timer'; readonly ms: number }
  | { readonly kind: 'child'; readonly steps: readonly Call[] }
  | { readonly kind: 'entity'; readonly value: number }
  | { readonly kind: 'all' | 'any'; readonly calls: readonly Call[] };

// Calls inside Task.all and Task.any do not fail for good: there the ids of the library and of the extension part, in
// Azure as here (see the test of the interpreter).
const { call } = fc.letrec<{ call: Call }>((tie) => ({
  call: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'calls' },
    fc.record({ kind: fc.constant('activity' as const), value: fc.nat(9) }),
    fc.record({ kind: fc.constant('retry' as const), failures: fc.nat(2), value: fc.nat(9) }),
    fc.record({ kind: fc.constant('timer' as const), ms: fc.nat(30) }),
    fc.record({ kind: fc.constant('entity' as const), value: fc.nat(9) }),
    fc.record({ kind: fc.constant('child' as const), steps: fc.array(tie('call'), { maxLength: 2 }) }),
    fc.record({
      kind: fc.constantFrom('all' as const, 'any' as const),
      calls: fc.array(tie('call'), { minLength: 1, maxLength: 4 }),
    }),
  ),
}));
const exhausted = fc.record({ kind: fc.constant('exhausted' as const), attempts: fc.integer({ min: 1, max: 3 }) });
const program = fc.array(fc.oneof({ arbitrary: call, weight: 5 }, { arbitrary: exhausted, weight: 1 }), {
  minLength: 1,
  maxLength: 4,
});

function expectedValue(each: Call): unknown {
  switch (each.kind) {
    case 'activity':
    case 'retry':
      return each.value;
    case 'exhausted':
      return "Activity function 'fail' failed: exhausted";
    case 'timer':
    case 'any':
      return each.kind;
    case 'child':
      return expectedResult(each.steps);
    case 'entity':
      // The list entity answers with its length before the push; each call has an entity of its own.
      return 0;
    case 'all':
      return each.calls.map(expectedValue);
    default:
      throw new Error(`Unknown call: ${JSON.stringify(each satisfies never)}`);
  }
}

const expectedResult = (steps: readonly Call[]): unknown =>
  steps.map((step, echo) => ({ value: expectedValue(step), echo }));

describe('The engine and the durable-functions library', () => {
  it.each([{ unkindSeed: undefined }, { unkindSeed: 77 }])(
    'count sequence ids alike in any mix of calls (unkind: $unkindSeed)',
    async ({ unkindSeed }) => {
      const engine = await startEngine({ ...(unkindSeed !== undefined && { unkindSeed }) });
      try {
        const programs = fc.sample(program, { numRuns: 30, seed: 20_260_101 });
        const results = await Promise.all(
          programs.map((steps) => engine.run('program', { steps, keys: randomUUID() })),
        );
        for (const [index, steps] of programs.entries()) {
          expect(results[index], JSON.stringify(steps)).toMatchObject({
            runtimeStatus: 'Completed',
            output: expectedResult(steps),
          });
        }
      } finally {
        expect(await engine.stop()).toBe(0);
      }
    },
  );
});
