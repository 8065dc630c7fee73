import { describe, expect, it } from 'vitest';

import {
  demandHub,
  parseDeleteAllRequest,
  parseDrillRequest,
  parsePlanRequest,
  parseRestoreRequest,
} from '../../../src/lib/restore/requests.ts';
import { demandConfirmed } from '../../../src/lib/work/request.ts';

const backup = 'default/2026/11/20T020000Z';

describe('a request', () => {
  it.each([
    [parsePlanRequest, { backup }],
    [parsePlanRequest, { backup, mode: 'missing', only: ['a', 'dev-*'], to: 'spare' }],
    [parseRestoreRequest, { backup, mode: 'exact', confirm: 'hub', newKeys: true, check: false }],
    [parseRestoreRequest, { backup, mode: 'exact', mostDeletes: 0 }],
    [parseDrillRequest, { backup, to: 'spare', newKeys: false }],
    [parseDeleteAllRequest, {}],
    [parseDeleteAllRequest, { hub: 'a', prefix: 'x', configurations: true, confirm: 'hub' }],
  ])('is taken as it is: %o %j', (parse, body) => {
    expect(parse(body)).toEqual(body);
  });

  it.each([
    ['no object', parsePlanRequest, [], 'no JSON object'],
    ['no JSON', parsePlanRequest, undefined, 'no JSON object'],
    ['no backup', parsePlanRequest, {}, '"backup" is missing'],
    ['a backup that is a number', parsePlanRequest, { backup: 1 }, '"backup" must be a text'],
    [
      'an unknown mode',
      parseRestoreRequest,
      { backup, mode: 'all' },
      '"mode" must be one of missing, overwrite, exact',
    ],
    ['no mode', parseRestoreRequest, { backup }, '"mode" is missing'],
    [
      'a count below 0',
      parseRestoreRequest,
      { backup, mode: 'exact', mostDeletes: -1 },
      '"mostDeletes" must be a whole number, 0 or more',
    ],
    [
      'a flag that is a text',
      parseRestoreRequest,
      { backup, mode: 'exact', newKeys: 'yes' },
      '"newKeys" must be true or false',
    ],
    ['names that are none', parsePlanRequest, { backup, only: [] }, '"only" must be a list'],
    ['a name that is empty', parsePlanRequest, { backup, only: ['a', ''] }, '"only" must be a list'],
    ['a member of another call', parsePlanRequest, { backup, confirm: 'x' }, 'none of backup, mode'],
    ['a drill that is confirmed', parseDrillRequest, { backup, to: 'a', confirm: 'x' }, 'none of backup, to'],
    ['a drill without its hub', parseDrillRequest, { backup }, '"to" is missing'],
    ['an empty prefix', parseDeleteAllRequest, { prefix: '' }, 'all devices'],
  ])('is refused: %s', (_name, parse, body, says) => {
    expect(() => parse(body)).toThrow(says);
  });

  it('tells nothing of members that it does not know', () => {
    const body = { backup, 'c2VjcmV0IGtleSBpbiB0aGUgd3JvbmcgcGxhY2U=': 1 };
    expect(() => parsePlanRequest(body)).toThrow(/^((?!c2Vj).)*$/);
  });
});

describe('the hub that is meant', () => {
  const one = new Map([['default', 'x']]);
  const two = new Map([...one, ['spare', 'y']]);

  it.each([
    [one, undefined, 'default'],
    [two, 'Spare', 'spare'],
  ])('%#', (hubs, asked, alias) => expect(demandHub(hubs, asked)).toBe(alias));

  it.each([
    [two, undefined, 'several hubs (default, spare)'],
    [two, 'other', '"other" is configured. There is: default, spare'],
    [one, 'a key=', '"…" is configured'],
  ])('is none (%#)', (hubs, asked, says) => expect(() => demandHub(hubs, asked)).toThrow(says));
});

describe('the confirmation', () => {
  it.each(['Hub', 'hub'])('is the name of the hub, in any case: %s', (name) => {
    expect(() => demandConfirmed({ hubName: 'hub' }, name)).not.toThrow();
  });
  it.each([undefined, '', 'hu', 'hub2'])('is not %j', (name) => {
    expect(() => demandConfirmed({ hubName: 'hub' }, name)).toThrow('hub');
  });
});
