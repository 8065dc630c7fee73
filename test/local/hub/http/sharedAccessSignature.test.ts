import { describe, expect, it } from 'vitest';
import type { PolicyName } from '../../../../local/hub/index.ts';
import { parseConnectionString, signToken, withHub } from '../hubClient.ts';

const path = '/devices/d1?api-version=2021-04-12';

describe('SAS tokens', () => {
  it('are verified over the literal sr, whether escaped or raw, with port or without', async () => {
    await withHub({ name: 'hub-a' }, async (_client, hub) => {
      const parts = parseConnectionString(hub.connectionString);
      const resources = [
        parts.host,
        encodeURIComponent(parts.host),
        encodeURIComponent(parts.host).toLowerCase(),
        '127.0.0.1',
        'hub-a.azure-devices.net',
        encodeURIComponent(`${parts.host}/devices`),
      ];
      for (const sr of resources) {
        const response = await fetch(`http://${parts.host}${path}`, {
          headers: { Authorization: signToken(parts, sr) },
        });
        expect([sr, response.status]).toEqual([sr, 404]);
      }
    });
  });

  it('are refused with 401 and a reason when anything about them is wrong', async () => {
    await withHub({}, async (_client, hub) => {
      const parts = parseConnectionString(hub.connectionString);
      const sr = encodeURIComponent(parts.host);
      const token = signToken(parts, sr);
      const bad: Record<string, string | undefined> = {
        'header is missing': undefined,
        'not a SharedAccessSignature': 'Basic abc',
        'Entra ID': 'Bearer abc',
        'lacks sr, sig or se': token.replace(/&se=\d+/, ''),
        'names no policy': token.replace(/&skn=.*/, ''),
        "no policy 'other'": token.replace(/skn=.*/, 'skn=other'),
        'has expired': signToken(parts, sr, Math.floor(Date.now() / 1000) - 1),
        'signature of the token is wrong': signToken({ ...parts, key: Buffer.alloc(32).toString('base64') }, sr),
        'for another hub': signToken(parts, 'other.azure-devices.net'),
        'or resource': signToken(parts, encodeURIComponent(`${parts.host}/twins`)),
      };
      for (const [reason, header] of Object.entries(bad)) {
        const response = await fetch(`http://${parts.host}${path}`, {
          headers: header === undefined ? {} : { Authorization: header },
        });
        const body = (await response.json()) as { Message: string; ExceptionMessage: string };
        expect(response.status).toBe(401);
        expect(response.headers.get('iothub-errorcode')).toBe('IotHubUnauthorizedAccess');
        expect(body.Message).toMatch(/^ErrorCode:IotHubUnauthorizedAccess;/);
        expect(body.Message).toContain(reason);
        expect(body.ExceptionMessage).toMatch(
          /^Tracking ID:[0-9A-F]{32}-G:10-TimeStamp:\d\d\/\d\d\/\d{4} \d\d:\d\d:\d\d$/,
        );
      }
    });
  });

  it('give only the rights of their policy', async () => {
    await withHub({}, async (client) => {
      const calls: readonly (readonly [method: string, path: string, allowed: readonly PolicyName[]])[] = [
        ['GET', '/devices/d1', ['iothubowner', 'registryRead', 'registryReadWrite']],
        ['DELETE', '/devices/d1', ['iothubowner', 'registryReadWrite']],
        ['GET', '/twins/d1', ['iothubowner', 'service']],
        ['GET', '/jobs', ['iothubowner', 'registryReadWrite']],
        ['GET', '/configurations', ['iothubowner', 'registryReadWrite']],
        ['GET', '/statistics/devices', ['iothubowner', 'registryRead', 'registryReadWrite']],
        ['POST', '/devices/query', ['iothubowner', 'service']],
      ];
      const policies: readonly PolicyName[] = ['iothubowner', 'service', 'device', 'registryRead', 'registryReadWrite'];
      for (const [method, target, allowed] of calls) {
        for (const policy of policies) {
          const { status } = await client.call(method, target, { policy });
          expect([method, target, policy, status !== 401]).toEqual([method, target, policy, allowed.includes(policy)]);
        }
      }
    });
  });
});
