import { expect, it } from 'vitest';

import { checkHub } from '../../src/lib/health.ts';
import { createRegistryClient, parseHubConnection } from '../../src/lib/registry/index.ts';

it('a hub for which the identity gets no token is not said to refuse it', async () => {
  const identity = { getToken: () => Promise.reject(new Error('No identity is assigned.')) };
  const client = createRegistryClient(parseHubConnection('hub.azure-devices.net', () => identity));
  const { ok, problem } = await checkHub('default', client);
  expect(ok).toBe(false);
  expect(problem).toContain('No Microsoft Entra token for the hub hub.azure-devices.net: No identity is assigned.');
});
