import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { type HubClient, withHub } from '../hubClient.ts';
import { createContainer, createJob, download, endOfJob, importLines, sasUri, upload } from '../jobs/jobFixture.ts';

let azurite: Azurite;

beforeAll(async () => {
  azurite = await startAzurite();
});

afterAll(async () => {
  await azurite.stop();
});

/** Values of a twin as they are written. */
const CASES: readonly (readonly [name: string, isTaken: boolean, section: string])[] = [
  ['a float beyond the bounds of integers', true, '{"r":6.02e23}'],
  ['a float of many digits', true, '{"r":1.5e16}'],
  ['a float with a point', true, '{"r":[15000000000000000.0]}'],
  ['a float just beyond the largest integer', true, '{"r":4503599627370495.5}'],
  ['the largest integer', true, '{"r":4503599627370495}'],
  ['the smallest integer', true, '{"r":-4503599627370496}'],
  ['an integer beyond', false, '{"r":4503599627370496}'],
  ['an integer below', false, '{"a":{"r":[-4503599627370497]}}'],
  ['an integer beside a float of its value', false, '{"f":1.5e16,"r":15000000000000000}'],
  ['a number beyond all floats', false, '{"r":1e999}'],
  ['empty keys', true, '{"":"x","a":{"":1}}'],
  ['null in a list', false, '{"list":["a",null]}'],
  ['null in an object in a list', false, '{"list":[{"a":null}]}'],
  ['null in a list in a list', false, '{"list":[[1,null]]}'],
];

const SECTIONS = [
  (section: string) => `"tags":${section}`,
  (section: string) => `"properties":{"desired":${section}}`,
] as const;

const create = (client: HubClient) => client.call('PUT', '/devices/d1', { body: { deviceId: 'd1' } });

describe('what a twin takes', () => {
  it.each(CASES)('is the same in calls: %s', async (_name, isTaken, section) => {
    await withHub({}, async (client) => {
      await create(client);
      for (const inSection of SECTIONS) {
        const text = `{${inSection(section)}}`;
        const status = isTaken ? 200 : 400;
        for (const method of ['PATCH', 'PUT']) {
          const answer = await client.call(method, '/twins/d1', { text });
          expect([method, answer.status, answer.body.Message ?? '']).toEqual([
            method,
            status,
            expect.stringMatching(isTaken ? /^$/ : /^ErrorCode:ArgumentInvalid/),
          ]);
        }
        for (const mode of ['create', 'updateTwin']) {
          const id = mode === 'create' ? `new-${SECTIONS.indexOf(inSection)}` : 'd1';
          const line = `{"id":"${id}","importMode":"${mode}","status":"enabled",${text.slice(1)}`;
          const bulk = await client.call('POST', '/devices', { text: `[${line}]` });
          expect([mode, bulk.status]).toEqual([mode, status]);
          if (!isTaken) expect(bulk.body.errors).toMatchObject([{ deviceId: id, errorCode: 'ArgumentInvalid' }]);
        }
      }
    });
  });

  it('is the same in import jobs, and an export has it as it would be taken again', async () => {
    await withHub({ jobEnqueueMs: 0 }, async (client) => {
      const container = await createContainer(azurite.connectionString);
      await create(client);
      const lines = CASES.flatMap(([, , section], index) =>
        SECTIONS.map((inSection, at) => {
          return `{"id":"d-${index}-${at}","importMode":"create","status":"enabled",${inSection(section)}}`;
        }),
      );
      const errors = await importLines(client, container, lines);
      const refused = CASES.flatMap(([, isTaken], index) => (isTaken ? [] : [`d-${index}-0`, `d-${index}-1`]));
      expect(errors.map(({ deviceId, errorCode }) => [deviceId, errorCode])).toEqual(refused.map((id) => [id, 400004]));

      const uri = await sasUri(container);
      const { body } = await createJob(client, {
        type: 'export',
        outputBlobContainerUri: uri,
        excludeKeysInExport: false,
      });
      await endOfJob(client, body.jobId);
      const exported = await download(container, 'devices.txt');
      expect(exported).toContain('"tags":{"r":1.5E+16}');
      expect(exported).toContain('"desired":{"r":[1.5E+16]}');
      await upload(container, 'devices.txt', exported.replaceAll('"id":"d', '"id":"again'));
      const again = await createJob(client, {
        type: 'import',
        inputBlobContainerUri: uri,
        outputBlobContainerUri: uri,
      });
      await endOfJob(client, again.body.jobId);
      expect(await download(container, 'importErrors.log')).toBe('');
    });
  });

  it('has no null in a twin that is replaced as a whole', async () => {
    await withHub({}, async (client) => {
      await create(client);
      for (const inSection of SECTIONS) {
        for (const section of ['{"a":null}', '{"a":{"b":{"c":null}}}']) {
          const answer = await client.call('PUT', '/twins/d1', { text: `{${inSection(section)}}` });
          expect([answer.status, answer.body.Message]).toEqual([
            400,
            expect.stringMatching(/^ErrorCode:ArgumentInvalid/),
          ]);
          expect((await client.call('PATCH', '/twins/d1', { text: `{${inSection(section)}}` })).status).toBe(200);
        }
      }
      expect((await client.call('GET', '/twins/d1')).body.version).toBe(6);
    });
  });

  it('may be read with floats as floats', async () => {
    await withHub({}, async (client) => {
      await create(client);
      const answer = await client.call('PATCH', '/twins/d1', { text: '{"tags":{"r":1.5e16,"s":"1234567890123456"}}' });
      expect(answer.body.tags).toEqual({ r: 1.5e16, s: '1234567890123456' });
    });
  });

  it('is told of where a string is wanted, as others are', async () => {
    await withHub({}, async (client) => {
      const line =
        '{"id":"d2","status":"enabled","statusReason":12345678901234567890,"capabilities":{"iotEdge":12345678901234567890}}';
      const answer = await client.call('POST', '/devices', { text: `[${line}]` });
      expect(answer.status).toBe(400);
    });
  });
});
