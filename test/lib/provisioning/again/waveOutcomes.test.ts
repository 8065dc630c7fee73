import { describe, expect, test } from 'vitest';

import { afterCalls, REPLY_LOST, type WaveOutcome } from '../../../../src/lib/provisioning/again/waveOutcomes.ts';
import type { Evidence } from '../../../../src/lib/provisioning/evidence/evidence.ts';

interface CallsRow {
  readonly name: string;
  readonly given: {
    /** Default: throttled by the job, which proves that nothing was done. */
    readonly before?: Omit<Evidence, 'tries'>;
    readonly calls?: WaveOutcome;
  };
  readonly expected: Omit<Evidence, 'tries'> & { readonly tries?: number };
}

const UNTOUCHED = { applied: 'no', open: 'transient', code: 429001 } as const;
const TROUBLED = { applied: 'maybe', open: 'transient', code: 500001 } as const;

describe('what is known of a line after calls', () => {
  test.for<CallsRow>([
    { name: 'is what was known before, where there was none', given: {}, expected: { ...UNTOUCHED, tries: 1 } },
    {
      name: 'is that it was applied, whatever was known before',
      given: { before: TROUBLED, calls: { is: 'succeeded', tries: 3 } },
      expected: { applied: 'yes', tries: 4 },
    },
    {
      name: 'is that it was applied, with a warning',
      given: { calls: { is: 'warned', tries: 1, code: 'ArgumentInvalid' } },
      expected: { applied: 'yes', code: 'ArgumentInvalid' },
    },
    {
      name: 'is that it was refused, whatever was known before',
      given: { before: TROUBLED, calls: { is: 'failed', tries: 1, code: 'ArgumentInvalid' } },
      expected: { applied: 'no', code: 'ArgumentInvalid' },
    },
    {
      name: 'is that the hub was full',
      given: { calls: { is: 'quota', tries: 1, code: 'IotHubQuotaExceeded' } },
      expected: { applied: 'no', open: 'quota', code: 'IotHubQuotaExceeded' },
    },
    {
      name: 'is that nothing was done, where it was throttled each time',
      given: { calls: { is: 'pending', tries: 2, code: 'ThrottlingException' } },
      expected: { applied: 'no', open: 'transient', code: 'ThrottlingException', tries: 3 },
    },
    {
      name: 'is that nobody knows, where the job may have applied it',
      given: { before: TROUBLED, calls: { is: 'pending', tries: 1, code: 'ThrottlingException' } },
      expected: { applied: 'maybe', open: 'transient', code: 'ThrottlingException', doubt: REPLY_LOST },
    },
    {
      name: 'is that nobody knows, where an earlier call may have applied it',
      given: { calls: { is: 'pending', tries: 2, code: 'ThrottlingException', maybe: true } },
      expected: { applied: 'maybe', open: 'transient', code: 'ThrottlingException', doubt: REPLY_LOST, tries: 3 },
    },
    {
      name: 'is that nobody knows, where the hub had trouble',
      given: { calls: { is: 'pending', tries: 1, code: 'ServerBusy', maybe: true } },
      expected: { applied: 'maybe', open: 'transient', code: 'ServerBusy' },
    },
    {
      name: 'is that nobody knows, where the hub had trouble, and that was not noted',
      given: { calls: { is: 'pending', tries: 1, code: 'ServerBusy' } },
      expected: { applied: 'maybe', open: 'transient', code: 'ServerBusy' },
    },
    {
      name: 'is that nobody knows, where a call was not answered',
      given: { calls: { is: 'pending', tries: 1, code: 'Timeout', maybe: true } },
      expected: { applied: 'maybe', open: 'transient', code: 'Timeout', doubt: REPLY_LOST },
    },
    {
      name: 'is that nobody knows, and the error of the job, where a call named nobody',
      given: { calls: { is: 'pending', tries: 1 } },
      expected: { applied: 'maybe', open: 'transient', code: 429001, doubt: REPLY_LOST },
    },
    {
      name: 'is that nobody knows, where a call is under way',
      given: { calls: { is: 'sent', tries: 0 } },
      expected: { applied: 'maybe', code: 429001, doubt: REPLY_LOST, tries: 1 },
    },
    {
      name: 'is that nobody knows, where an error proves nothing',
      given: { calls: { is: 'doubtful', tries: 1, code: 'DeviceAlreadyExists' } },
      expected: { applied: 'maybe', code: 'DeviceAlreadyExists', doubt: REPLY_LOST },
    },
    {
      name: 'is no more that its twin had changed: it was patched, and that had no reply',
      given: {
        before: { applied: 'no', open: 'stale', code: 412001 },
        calls: { is: 'pending', tries: 1, code: 'NetworkError', maybe: true },
      },
      expected: { applied: 'maybe', open: 'transient', code: 'NetworkError', doubt: REPLY_LOST },
    },
  ])('$name', ({ given: { before = UNTOUCHED, calls }, expected }) => {
    expect(afterCalls({ ...before, tries: 1 }, calls)).toEqual({ tries: 2, ...expected });
  });
});
