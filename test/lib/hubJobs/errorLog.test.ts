import { describe, expect, it } from 'vitest';

import { parseErrorLine } from '../../../src/lib/hubJobs/errorLog.ts';
import { createIdentityNotes } from '../../../src/lib/registryLines/identityNotes.ts';

const key = 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTAwMDE=';

describe('a line of the error log', () => {
  const cases: { name: string; line: string; expected: unknown }[] = [
    {
      name: 'names its device',
      line: '{"deviceId":"d1","errorCode":409001,"errorStatus":"exists"}',
      expected: { deviceId: 'd1', code: 409001 },
    },
    {
      name: 'names its module',
      line: '{"deviceId":"d1","moduleId":"m1","errorCode":409301,"errorStatus":"exists"}',
      expected: { deviceId: 'd1', moduleId: 'm1', code: 409301 },
    },
    {
      name: 'is read without regard to the case of its keys',
      line: '{"DeviceId":"d1","ErrorCode":"DeviceAlreadyExists"}',
      expected: { deviceId: 'd1', code: 'DeviceAlreadyExists' },
    },
    {
      name: 'gives the id from the input line it quotes, and nothing else of it',
      line: JSON.stringify({
        errorCode: 400012,
        errorStatus: `Invalid device format in line: {"id":"d7","status":"enabled","authentication":{"symmetricKey":{"primaryKey":"${key}"}}}. Error converting value. Path 'authentication.type', line 1, position 9.`,
      }),
      expected: { deviceId: 'd7', code: 400012 },
    },
    {
      name: 'gives the id although braces follow the quoted line',
      line: JSON.stringify({
        errorCode: 400012,
        errorStatus: 'In line: {"id":"d8","tags":{"a":"}"}}. Error converting {null}.',
      }),
      expected: { deviceId: 'd8', code: 400012 },
    },
    {
      name: 'about a module that it does not name is not put down to the device',
      line: '{"deviceId":"d1","errorCode":404010,"errorStatus":"x"}',
      expected: { code: 404010 },
    },
    {
      name: 'without any id is left unattributed',
      line: '{"errorCode":500001,"errorStatus":"Something happened."}',
      expected: { code: 500001 },
    },
    { name: 'that is no JSON is left unattributed', line: '<html>', expected: undefined },
  ];
  it.each(cases)('$name', ({ line, expected }) => {
    expect(parseErrorLine(line)).toEqual(expected);
  });
});

describe('the failure table', () => {
  it('finds each of 100,000 failures by identity, and nothing else', () => {
    const table = createIdentityNotes();
    for (let i = 0; i < 100_000; i++)
      table.add(`device-${i}`, i % 2 ? `m${i}` : undefined, i % 3 ? 409001 : 'ServerBusy');
    expect(table.size).toBe(100_000);
    for (let i = 0; i < 100_000; i++) {
      expect(table.find(`device-${i}`, i % 2 ? `m${i}` : undefined)).toBe(i % 3 ? 409001 : 'ServerBusy');
    }
    expect(table.find('device-1', undefined)).toBeUndefined();
    expect(table.find('device-100000', undefined)).toBeUndefined();
  });

  it('keeps the first error of an identity', () => {
    const table = createIdentityNotes();
    table.add('d', undefined, 409001);
    table.add('d', undefined, 500001);
    expect(table.find('d', undefined)).toBe(409001);
    expect(table.size).toBe(1);
  });
});
