import { describe, expect, it } from 'vitest';

import { orFault } from '../../../src/lib/runs/faults.ts';

describe('a step in which our own code fails', () => {
  it.each([
    ['RangeError', () => new RangeError('Maximum call stack size exceeded')],
    ['TypeError', () => new TypeError("Cannot read properties of undefined (reading 'id')")],
    ['ReferenceError', () => new ReferenceError('x is not defined')],
  ])('with a %s is done once more, and then ends with its name', async (name, make) => {
    let tries = 0;
    const result = await orFault(async () => {
      tries += 1;
      throw make();
    });
    expect(result).toMatchObject({
      fault: expect.stringContaining(`HubKeeper itself failed, not the hub or the network (${name}: `),
    });
    expect(tries).toBe(2);
  });

  it('does not quote the text that it could not read', async () => {
    const result = await orFault(async () => JSON.parse('{"primaryKey":"secret'));
    expect(result).toEqual({ fault: 'HubKeeper itself failed, not the hub or the network (SyntaxError).' });
  });

  it('once goes on', async () => {
    let tries = 0;
    expect(
      await orFault(async () => {
        tries += 1;
        if (tries === 1) throw new TypeError('odd');
        return 7;
      }),
    ).toBe(7);
  });

  it.each([
    ['an error of storage', () => Object.assign(new Error('busy'), { statusCode: 503 })],
    [
      'an error of the network in the class of ours',
      () => Object.assign(new TypeError('fetch failed'), { code: 'ECONNRESET' }),
    ],
  ])('is none when it is %s: that is thrown, to be retried', async (_what, make) => {
    const error = make();
    await expect(orFault(() => Promise.reject(error))).rejects.toBe(error);
  });
});
