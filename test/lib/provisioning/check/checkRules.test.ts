import { describe, expect, it } from 'vitest';

import { checkRulesOf } from '../../../../src/lib/provisioning/check/checkRules.ts';
import { DEFAULT_OPTIONS } from '../../../../src/lib/provisioning/run/options.ts';
import { checkText, line, wholeDevice } from '../../devicesFile/checkText.ts';

const never = { ...DEFAULT_OPTIONS, backupFirst: 'never' } as const;
const { statusReason: _, ...whole } = wholeDevice('whole');
const FILE =
  line(whole) +
  line({ ...whole, id: 'keyless', authentication: undefined }) +
  line({ ...whole, id: 'without status', status: undefined }) +
  line({ ...whole, id: 'capable', capabilities: undefined }) +
  line({ id: 'whole', moduleId: 'bare' }) +
  line({ id: 'new', importMode: 'create' }) +
  line({ id: 'gone', importMode: 'delete' }) +
  line({ id: 'twin', importMode: 'updateTwin' });

async function check(options: Parameters<typeof checkRulesOf>[0]) {
  const { summary, accepted, rejected } = await checkText(FILE.replaceAll(' status', '-status'), checkRulesOf(options));
  expect(summary.lines).toBe(8);
  expect(summary.devices + summary.modules + summary.rejected).toBe(8);
  return {
    rejected: rejected.map(({ id, moduleId, code, path }) => [moduleId ?? id, code, path]),
    incomplete: accepted.filter(({ missing }) => missing.length > 0).length,
  };
}

describe('lines that leave something out', () => {
  it('are taken when it can be filled in', async () => {
    expect(await check(DEFAULT_OPTIONS)).toEqual({ rejected: [], incomplete: 5 });
  });

  it('are rejected without a pre-image; what is left lacks nothing, and a missing reason is none', async () => {
    expect(await check(never)).toEqual({
      rejected: [
        ['keyless', 'leavesOut', 'authentication'],
        ['without-status', 'leavesOut', 'status'],
        ['capable', 'leavesOut', 'capabilities'],
        ['bare', 'leavesOut', 'authentication'],
        ['twin', 'cannotMerge', 'importMode'],
      ],
      incomplete: 0,
    });
  });

  it('may leave out their keys where new ones are wanted', async () => {
    expect(await check({ ...never, missingKeys: 'regenerate' })).toEqual({
      rejected: [
        ['without-status', 'leavesOut', 'status'],
        ['capable', 'leavesOut', 'capabilities'],
        ['twin', 'cannotMerge', 'importMode'],
      ],
      incomplete: 0,
    });
  });
});
