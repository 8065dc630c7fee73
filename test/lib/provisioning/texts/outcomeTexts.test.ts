import { describe, expect, it } from 'vitest';

import { doubt, unconfirmed, unconfirmedFor, verdict } from '../../../../src/lib/provisioning/texts/outcomeTexts.ts';

describe('what became of a line', () => {
  it('has its outcome, code and sentences out of the table', () => {
    expect(verdict('ParentCycle')).toEqual({
      outcome: 'failed',
      code: 'ParentCycle',
      reason: 'The device is as the line asks, except for its parent: it would become its own ancestor.',
      action: 'Correct "parent" of one of the devices of the circle; then drop failed-devices.txt.',
    });
  });

  it('has the code alone where a code has several sentences', () => {
    expect(verdict('DeviceNotFound:linked')).toMatchObject({ outcome: 'failed', code: 'DeviceNotFound' });
    expect(verdict('jobNotEnded:configuration')).toMatchObject({ outcome: 'unconfirmed', code: 'jobNotEnded' });
  });

  it('has no action where it succeeded', () => {
    expect(verdict('readBack')).not.toHaveProperty('action');
  });
});

describe('a line in doubt', () => {
  it('is unconfirmed, with why nothing is known', () => {
    expect(unconfirmed(doubt('jobFailed', { words: ' ("no such blob")' }))).toEqual({
      outcome: 'unconfirmed',
      code: 'jobFailed',
      reason:
        'The import job failed as a whole ("no such blob"). Whether this line was applied is unknown, because the registry could not be read afterwards.',
      action:
        'Look up the device in the hub, or drop the line again in a mode that is safe to repeat, such as createOrUpdate.',
    });
  });

  it('says so when the registry was read, and told nothing', () => {
    expect(unconfirmed(doubt('existsOtherwise'), 'read').reason).toMatch(/Whether this line was applied is unknown\.$/);
  });

  it('has the error of its run where that ended it', () => {
    expect(unconfirmedFor({ code: 'stepFailed', message: 'A step kept failing.' })).toMatchObject({
      outcome: 'unconfirmed',
      code: 'stepFailed',
      reason: 'A job may have been started, and what became of it is unknown. A step kept failing.',
    });
  });
});
