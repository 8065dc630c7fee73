import { describe, expect, test } from 'vitest';

import {
  doubtAbout,
  hasTransient,
  isFinalWord,
  mayBeCalled,
  mayBeStale,
} from '../../../../src/lib/provisioning/evidence/jobFacts.ts';
import { factsOf, type GivenJob, jobOf, logOf } from './givenFacts.ts';

const DEVICE = { id: 'd' };
const met = (code: number | string): GivenJob => ({ log: [['d', code]] });

interface DoubtRow {
  readonly name: string;
  readonly given: GivenJob;
  /** The code of the doubt, and what its reason tells; undefined: the absence of an error line proves success. */
  readonly expected: readonly [code: string, says: string] | undefined;
}

describe('the doubt that a job leaves', () => {
  test.for<DoubtRow>([
    { name: 'none when it has completed', given: {}, expected: undefined },
    { name: 'none, however the hub spells that', given: { status: 'Completed' }, expected: undefined },
    { name: 'none for errors of lines', given: met(409001), expected: undefined },
    { name: 'it was cancelled', given: { status: 'cancelled' }, expected: ['jobCancelled', 'cancelled'] },
    { name: 'it failed', given: { status: 'failed' }, expected: ['jobFailed', 'failed as a whole.'] },
    {
      name: 'it failed, and the hub says why',
      given: { status: 'Failed', failureReason: 'no such blob' },
      expected: ['jobFailed', '("no such blob")'],
    },
    { name: 'it runs past its deadline', given: { status: 'running' }, expected: ['jobNotEnded', 'deadline'] },
    { name: 'the hub has forgotten it', given: { status: 'unknown' }, expected: ['jobNotEnded', 'forgot'] },
    { name: 'it may be another', given: { ambiguous: true }, expected: ['jobAmbiguous', 'several jobs'] },
    { name: 'it left no log', given: { log: 'gone' }, expected: ['logMissing', 'no error log'] },
    {
      name: 'its log names nobody',
      given: { unnamed: [500001, 'SomethingNew'] },
      expected: ['logUnclear', '2 errors without a device (ServerError, SomethingNew)'],
    },
    {
      name: 'how it ended comes before its log',
      given: { log: 'gone', status: 'failed' },
      expected: ['jobFailed', ''],
    },
  ])('$name', ({ given, expected }) => {
    const found = doubtAbout(jobOf(given), logOf(given));
    expect(found?.code).toBe(expected?.[0]);
    expect(found?.reason ?? '').toContain(expected?.[1] ?? '');
  });
});

interface LogRow {
  readonly name: string;
  readonly given: GivenJob;
  readonly expected: { readonly final: boolean; readonly transient: boolean; readonly stale: boolean };
}

describe('what a log says of the run', () => {
  const FINAL = { final: true, transient: false, stale: false };
  const OPEN = { final: false, transient: false, stale: false };
  test.for<LogRow>([
    { name: 'nothing: all is well', given: {}, expected: FINAL },
    { name: 'permanent errors are final', given: met(409001), expected: FINAL },
    { name: 'so are warnings that nothing is done about', given: met(400009), expected: FINAL },
    { name: 'a throttle may pass', given: met(429001), expected: { ...OPEN, transient: true } },
    {
      name: 'a number of the hub that nobody knows may pass',
      given: met(599999),
      expected: { ...OPEN, transient: true },
    },
    { name: 'a full hub may find a place', given: met(403002), expected: OPEN },
    {
      name: 'a twin that is missing can be written, and nothing else is sent',
      given: met('DeviceRegisteredWithoutTwin'),
      expected: { ...OPEN, transient: true },
    },
    { name: 'another ETag may be that of a twin', given: met(412001), expected: { ...FINAL, stale: true } },
    { name: 'no log says nothing', given: { log: 'gone' }, expected: OPEN },
    { name: 'a job that failed says little', given: { status: 'failed' }, expected: OPEN },
    { name: 'so does one that may have been given twice', given: { ambiguous: true }, expected: OPEN },
    { name: 'so does one whose notes are lost', given: { ...met(409001), lost: true }, expected: OPEN },
    { name: 'an error that names nobody leaves all open', given: { unnamed: [400012] }, expected: OPEN },
  ])('$name', ({ given, expected }) => {
    const facts = factsOf(given);
    expect({ final: isFinalWord(facts), transient: hasTransient(facts), stale: mayBeStale(facts) }).toEqual(expected);
  });

  test('the log of a second job counts as well', () => {
    expect(mayBeStale(factsOf(met(429001), met(412001)))).toBe(true);
    expect(hasTransient(factsOf(met(400004), met(429001)))).toBe(true);
  });
});

describe('whether calls that nobody remembers may have sent a line again', () => {
  test.for<{ readonly name: string; readonly given: GivenJob; readonly expected: boolean }>([
    { name: 'one that the log names, when all notes are lost', given: { ...met(412001), lost: true }, expected: true },
    { name: 'not one that it does not name', given: { log: [['D', 412001]], lost: true }, expected: false },
    { name: 'not one of which no log is left', given: { log: 'gone', lost: true }, expected: false },
    { name: 'none as long as there are notes', given: met(412001), expected: false },
  ])('$name', ({ given, expected }) => {
    expect(mayBeCalled(DEVICE, factsOf(given))).toBe(expected);
  });
});
