import { expect, test } from 'vitest';

import { renderCounts } from '../../../cli/render/outcomeCounts.ts';
import { OUTCOMES, type Outcome } from '../../../src/lib/runs/runRecord.ts';

const counts = (some: Partial<Record<Outcome, number>>) =>
  renderCounts(
    { ...(Object.fromEntries(OUTCOMES.map((each) => [each, 0])) as Record<Outcome, number>), ...some },
    (_, text) => text,
  );

test.each([
  [{}, ['', '  lines                         0']],
  [{ failed: 2 }, ['', '  failed                        2']],
  [
    { failed: 2, succeeded: 1 },
    [
      '',
      '  succeeded                     1',
      '  failed                        2',
      `  ${'─'.repeat(31)}`,
      '  lines                         3',
    ],
  ],
])('%j is summed up where there is something to sum up', (some, lines) => {
  expect(counts(some)).toEqual(lines);
});
