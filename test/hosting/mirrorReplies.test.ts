import { RestError } from '@azure/storage-blob';
import { expect, test } from 'vitest';

import { answerFromMirror, MIRROR_STATUS, queryOf } from '../../src/hosting/mirrorReplies.ts';
import { MIRROR_QUERY_TEXTS, queryError } from '../../src/lib/mirror/query/queryTexts.ts';
import { StoreUnavailable } from '../../src/lib/mirror/store/mirrorStore.ts';

test('a mirror that is off is told with the setting that is missing', async () => {
  expect(await answerFromMirror(undefined, async () => ({}))).toMatchObject({
    status: 409,
    jsonBody: { error: { code: 'mirrorOff', message: expect.stringContaining('MIRROR_EVENTS') } },
  });
});

test('what is wrong with a question has a status, a store that is silent another, and what is unknown none', async () => {
  const answered = (error: Error) => answerFromMirror({}, () => Promise.reject(error));
  expect(await answered(queryError('deviceUnknown', { id: 'd' }))).toMatchObject({
    status: 404,
    jsonBody: { error: { code: 'deviceUnknown', message: 'The mirror has no device d.' } },
  });
  expect(await answered(new StoreUnavailable('busy'))).toMatchObject({
    status: 503,
    jsonBody: { error: { code: 'storeUnavailable' } },
  });
  const gone = new RestError('connect ECONNREFUSED /c/b?sv=1&sig=abcdefghijklmnopqrstuvwxyz0123456789%3D', {
    code: 'ECONNREFUSED',
  });
  const reply = await answered(gone);
  expect(reply).toMatchObject({ status: 503, jsonBody: { error: { code: 'storageUnavailable' } } });
  expect(JSON.stringify(reply)).not.toContain('abcdefgh');
  await expect(answered(new Error('else'))).rejects.toThrow('else');
  expect(await answerFromMirror(7, async (mirror) => ({ mirror }))).toEqual({ jsonBody: { mirror: 7 } });
  const codes = new Set(Object.keys(MIRROR_QUERY_TEXTS).map((key) => key.split(':')[0]));
  expect(new Set(Object.keys(MIRROR_STATUS))).toEqual(codes);
});

test('each value of a parameter that is given twice is there, commas and all', () => {
  const url = 'https://app/api/devices?tag=site=a,b&tag=c=%2B%26&x=1+2';
  expect(queryOf({ url }).getAll('tag')).toEqual(['site=a,b', 'c=+&']);
  expect(queryOf({ url }).get('x')).toBe('1 2');
});
