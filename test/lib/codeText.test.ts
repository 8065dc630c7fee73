import { describe, expect, it } from 'vitest';

import { speakerOf } from '../../src/lib/codeText.ts';

const say = speakerOf({
  plain: { says: 'It happened.' },
  gaps: { says: '{count} of {all} failed.', action: 'See {place}.' },
  'gaps:one': { says: 'One failed: {why}' },
  json: { says: 'It is no JSON.', action: 'Write {"dryRun": true}.' },
});

describe('a code that is given with its sentences', () => {
  it('has no action where there is nothing to do', () => {
    expect(say('plain')).toEqual({ code: 'plain', message: 'It happened.' });
  });

  it('has its gaps filled, in both sentences', () => {
    expect(say('gaps', { count: 2, all: '1,000', place: 'the log' })).toEqual({
      code: 'gaps',
      message: '2 of 1,000 failed.',
      action: 'See the log.',
    });
  });

  it('is the same whichever of its sentences is said', () => {
    expect(say('gaps:one', { why: 'no' })).toEqual({ code: 'gaps', message: 'One failed: no' });
  });

  it('keeps braces that are no gap', () => {
    expect(say('json').action).toBe('Write {"dryRun": true}.');
  });

  it('does not fill a gap of what fills a gap', () => {
    expect(say('gaps:one', { why: '{why} {count}' }).message).toBe('One failed: {why} {count}');
  });

  it('is held by its type to what its sentences need', () => {
    // @ts-expect-error a gap is left open
    say('gaps', { count: 2, all: 3 });
    // @ts-expect-error there is no such gap
    say('gaps:one', { why: 'no', where: 'here' });
    // @ts-expect-error it has gaps
    say('gaps');
    // @ts-expect-error there is no such code
    expect(() => say('other')).toThrow();
  });
});
