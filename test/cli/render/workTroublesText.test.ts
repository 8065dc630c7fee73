import { expect, it } from 'vitest';

import { renderTroubles } from '../../../cli/render/workTroublesText.ts';
import type { ItemOutcome } from '../../../src/lib/registryExtras/hubWork.ts';

const paint = (_style: unknown, text: string) => text;
const item = (more: Partial<ItemOutcome>): ItemOutcome => ({
  what: 'managedBy',
  id: 'pump',
  outcome: 'failed',
  ...more,
});

it('what failed is told of lines, and of what no line does', () => {
  const reasons = [
    { outcome: 'failed', code: 'ArgumentInvalid', count: 2, line: 5, deviceId: 'pump', reason: 'Why.' },
  ] as const;
  const failed = [
    item({ moduleId: 'm', code: 'NotFound', message: 'It is gone.', action: 'Make it.' }),
    item({ what: 'configuration', id: 'twins' }),
    item({ what: 'systemModules' }),
    item({ what: 'systemModuleTwin', moduleId: '$edgeAgent' }),
  ];
  expect(renderTroubles({ reasons, failed }, { paint })).toEqual([
    '',
    '  2 × failed: ArgumentInvalid, e.g. line 5 pump',
    '    Why.',
    '',
    '  failed: NotFound, managedBy of pump/m',
    '    It is gone. Make it.',
    '  failed, configuration twins',
    '  failed, edge modules of pump',
    '  failed, twin of pump/$edgeAgent',
  ]);
});

it('many are told in part', () => {
  const lines = renderTroubles({ reasons: [], failed: Array.from({ length: 1_012 }, () => item({})) }, { paint });
  expect(lines).toHaveLength(12);
  expect(lines.at(-1)).toBe('  … and 1,002 more: see rest.ndjson of the report');
  expect(renderTroubles({ reasons: [], failed: [] }, { paint })).toEqual([]);
});
