import { describe, it } from 'vitest';

import type { FaultSpec } from '../../local/hub/faults.ts';
import { withStack } from '../helpers/stack.ts';
import type { FaultSchedule } from '../scenarios/faultSchedule.ts';
import { runSchedule, SCHEDULE_STACK } from '../scenarios/runSchedule.ts';

const NEW = 60;
const THERE = 60;
const tags = { tags: { seen: 2 } };

/** Creates, updates that leave keys and status out, deletes, and some of what fails on any hub. */
const LINES = [
  ...Array.from({ length: NEW }, (_, i) => ({ id: `new-${i}`, importMode: 'create', ...tags })),
  ...Array.from({ length: THERE }, (_, i) =>
    i % 3 === 0 ? { id: `d${i}`, importMode: 'delete' } : { id: `d${i}`, importMode: 'update', ...tags },
  ),
  { id: 'd-exists', importMode: 'create' },
  { id: 'd-missing', importMode: 'update' },
  { id: 'd-gone', importMode: 'delete' },
];

const schedule = (faults: readonly FaultSpec[], more: Partial<FaultSchedule>): FaultSchedule => ({
  seed: 0,
  settings: {},
  devices: [
    ...Array.from({ length: THERE }, (_, i) => ({ id: `d${i}`, status: i % 2 === 0 ? 'disabled' : 'enabled' })),
    { id: 'd-exists' },
  ],
  modules: [],
  lines: LINES.map((line) => ({ text: JSON.stringify(line) })),
  metadata: { hubkeeper: 'test', retryminutes: '1' },
  confirms: true,
  faults: faults.map((spec) => ({ afterMs: 0, spec })),
  kills: [],
  passes: false,
  refused: [],
  unreadable: false,
  ...more,
});

/** As on a hub without trouble: two lines fail there, and one has nothing to delete. */
const ALL_APPLIED = { succeeded: LINES.length - 3, failed: 2, unchanged: 1, unconfirmed: 0 };

describe.concurrent.each([true, false])(
  'a run tells the truth about every line, when jobs echo what they were given: %s',
  (jobEcho) => {
    const settings = { jobEcho };

    it('and its job fails, never ends, was started without a reply, or leaves no log', { timeout: 300_000 }, async ({
      expect,
    }) => {
      await withStack(SCHEDULE_STACK, async (stack) => {
        const failed = await runSchedule(
          stack,
          schedule([{ operation: 'importJob', outcome: 'fail', afterLines: 70, count: 1 }], { settings }),
        );
        expect.soft(failed).toMatchObject({ problems: [], outcomes: { unconfirmed: 0 } });
        expect.soft(failed.outcomes?.succeeded).toBeGreaterThan(65);

        const hung = await runSchedule(
          stack,
          schedule([{ operation: 'importJob', outcome: 'hang', afterLines: 70, count: 1 }], {
            settings,
            cancel: 'hung',
          }),
        );
        expect.soft(hung).toMatchObject({ problems: [], state: 'cancelled', outcomes: { unconfirmed: 0 } });
        expect.soft(hung.outcomes?.succeeded).toBeGreaterThan(65);

        const lost = await runSchedule(
          stack,
          schedule([{ operation: 'createJob', drop: true, when: 'after', count: 1 }], { settings }),
        );
        expect.soft(lost).toMatchObject({ problems: [], outcomes: ALL_APPLIED });
        expect((await stack.hubState()).jobs.importsCreated).toBe(1);

        const noLog = await runSchedule(
          stack,
          schedule([{ operation: 'importJob', outcome: 'noLog', count: 1 }], { settings }),
        );
        expect.soft(noLog).toMatchObject({ problems: [], outcomes: { unconfirmed: 0 } });
        expect.soft(noLog.outcomes?.succeeded).toBeGreaterThanOrEqual(ALL_APPLIED.succeeded);
      });
    });
  },
);
