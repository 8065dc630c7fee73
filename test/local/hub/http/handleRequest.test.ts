import { describe, expect, it } from 'vitest';
import { parseConnectionString, signToken, withHub } from '../hubClient.ts';

describe('the REST surface', () => {
  it('takes the api-versions that clients send and refuses others with 400', async () => {
    await withHub({}, async (client) => {
      for (const version of ['2018-06-30', '2020-05-31-preview', '2020-09-30', '2021-04-12', '2024-03-31']) {
        expect((await client.call('GET', '/devices', { query: `api-version=${version}` })).status).toBe(200);
      }
      for (const query of ['', 'api-version=', 'api-version=2016-02-03']) {
        const answer = await client.call('GET', '/devices', { query });
        expect(answer.status).toBe(400);
        expect(answer.headers.get('iothub-errorcode')).toBe('InvalidProtocolVersion');
      }
    });
  });

  it('tolerates trailing slashes and decodes ids', async () => {
    await withHub({}, async (client) => {
      const id = "a-:.+%_#*?!(),=@;$'";
      const escaped = encodeURIComponent(id);
      expect((await client.call('PUT', `/devices/${escaped}`, { body: { deviceId: id } })).status).toBe(200);
      expect((await client.call('GET', `/devices/${escaped}`)).body.deviceId).toBe(id);
      expect((await client.call('GET', '/devices/')).body).toHaveLength(1);
      expect((await client.call('GET', '/devices/a%2Fb')).status).toBe(400);
    });
  });

  it('answers what it does not serve with 501, unknown resources with 404, wrong methods with 405', async () => {
    await withHub({}, async (client) => {
      const unserved = await client.call('POST', '/twins/d1/methods', { body: {} });
      expect(unserved.status).toBe(501);
      expect(unserved.body.Message).toContain('invokeMethod');
      expect((await client.call('GET', '/jobs/v2/j1')).status).toBe(501);
      expect((await client.call('GET', '/digitaltwins/d1')).status).toBe(501);
      expect((await client.call('GET', '/nothing')).status).toBe(404);
      expect((await client.call('PATCH', '/devices/d1', { body: {} })).status).toBe(405);
    });
  });

  it('refuses a body that is no JSON with 400', async () => {
    await withHub({}, async (client, hub) => {
      const { status, headers } = await client.call('GET', '/devices');
      expect(status).toBe(200);
      expect(headers.get('content-type')).toContain('application/json');
      const parts = parseConnectionString(hub.connectionString);
      const response = await fetch(`http://${parts.host}/devices/d1?api-version=2021-04-12`, {
        method: 'PUT',
        headers: { Authorization: signToken(parts, parts.host) },
        body: '{"deviceId":',
      });
      expect(response.status).toBe(400);
      expect(response.headers.get('iothub-errorcode')).toBe('IotHubFormatError');
    });
  });
});
