import { expect, it } from 'vitest';

import type { ImportMode } from '../../../../src/lib/devicesFile/importMode.ts';
import { explainMissing } from '../../../../src/lib/provisioning/outcome/missingAfterCreate.ts';
import type { Verdict } from '../../../../src/lib/runs/outcomes.ts';

const missing = (code: string, outcome: Verdict['outcome'] = 'failed'): Verdict => ({
  outcome,
  code,
  reason: 'There is no device with this id.',
  action: 'Check the id; create the device first, or use an import mode that creates it.',
  tries: 2,
});

it.each<[ImportMode, string | undefined, string, string]>([
  ['create', undefined, 'DeviceNotFound', 'there is no such device, although the line creates it'],
  ['createOrUpdate', undefined, 'DeviceNotFound', 'there is no such device, although the line creates it'],
  ['createOrUpdateIfMatchETag', undefined, 'DeviceNotFound', 'there is no such device, although'],
  ['createOrUpdate', 'm', 'ModuleNotFound', 'there is no such module, although the line creates it'],
  ['create', 'm', 'DeviceNotFound', 'The device of this module is not in the registry.'],
])(
  'a hub that does not know what %s makes (module %s, %s) is no reason to create it first',
  (mode, moduleId, code, says) => {
    const verdict = explainMissing(moduleId === undefined ? { mode } : { mode, moduleId }, missing(code));
    expect(verdict).toMatchObject({ outcome: 'failed', code, tries: 2 });
    expect(verdict.reason).toContain(says);
    expect(verdict.action).not.toContain('use an import mode that creates it');
  },
);

it.each<[ImportMode, Verdict]>([
  ['update', missing('DeviceNotFound')],
  ['updateTwin', missing('DeviceNotFound')],
  ['create', missing('DeviceAlreadyExists')],
  ['create', missing('DeviceNotFound', 'unchanged')],
  ['create', { outcome: 'succeeded' }],
])('other verdicts stay as they are: %s', (mode, verdict) => {
  expect(explainMissing({ mode }, verdict)).toBe(verdict);
});
