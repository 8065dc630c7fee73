import { expect, test } from 'vitest';

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

interface MissingRow {
  readonly name: string;
  readonly given: { readonly mode: ImportMode; readonly moduleId?: string; readonly verdict: Verdict };
  /** What the reason tells, and the action; `same`: the verdict stays as it is. */
  readonly expected: 'same' | { readonly reason: string; readonly action: string };
}

const HUB_TROUBLE = {
  reason: 'there is no such device, although the line creates it',
  action: 'Azure support request',
};

test.for<MissingRow>([
  {
    name: 'a device that is created is no reason to create it first',
    given: { mode: 'create', verdict: missing('DeviceNotFound') },
    expected: HUB_TROUBLE,
  },
  {
    name: 'nor one that is created or updated',
    given: { mode: 'createOrUpdate', verdict: missing('DeviceNotFound') },
    expected: HUB_TROUBLE,
  },
  {
    name: 'nor one under an ETag',
    given: { mode: 'createOrUpdateIfMatchETag', verdict: missing('DeviceNotFound') },
    expected: HUB_TROUBLE,
  },
  {
    name: 'nor a module',
    given: { mode: 'createOrUpdate', moduleId: 'm', verdict: missing('ModuleNotFound') },
    expected: { reason: 'there is no such module, although the line creates it', action: 'delete the module' },
  },
  {
    name: 'a module whose device is not there is told so',
    given: { mode: 'create', moduleId: 'm', verdict: missing('DeviceNotFound') },
    expected: { reason: 'The device of this module is not in the registry.', action: 'Create the device first' },
  },
  {
    name: 'a line that never creates is told to create it first',
    given: { mode: 'update', verdict: missing('DeviceNotFound') },
    expected: 'same',
  },
  {
    name: 'so is one that merges',
    given: { mode: 'updateTwin', verdict: missing('DeviceNotFound') },
    expected: 'same',
  },
  {
    name: 'another error stays what it is',
    given: { mode: 'create', verdict: missing('DeviceAlreadyExists') },
    expected: 'same',
  },
  {
    name: 'another outcome stays what it is',
    given: { mode: 'create', verdict: missing('DeviceNotFound', 'unconfirmed') },
    expected: 'same',
  },
  { name: 'so does a success', given: { mode: 'create', verdict: { outcome: 'succeeded' } }, expected: 'same' },
])('$name', ({ given: { mode, moduleId, verdict }, expected }) => {
  const explained = explainMissing({ mode, ...(moduleId === undefined ? {} : { moduleId }) }, verdict);
  if (expected === 'same') {
    expect(explained).toBe(verdict);
    return;
  }
  expect(explained).toEqual({
    ...verdict,
    reason: expect.stringContaining(expected.reason),
    action: expect.stringContaining(expected.action),
  });
  expect(explained.action).not.toContain('use an import mode that creates it');
});
