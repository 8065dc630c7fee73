import { expect, it } from 'vitest';
import { type TestStack, withStack } from '../helpers/stack.ts';
import { readRegistry } from '../scenarios/readRegistry.ts';
import { judge } from '../scenarios/registryOracle.ts';

const ROOM = 50;
const FILE = 500;

async function admin(stack: TestStack, method: string, path: string, body: object): Promise<void> {
  const init = { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  expect((await fetch(`${stack.hubAdminUrl}${path}`, init)).ok).toBe(true);
}

it('of a file of 500 for a hub that has room for 50, those that fit are added one by one, the rest is named, and there is no second job', async () => {
  await withStack({ settings: { HUB_TIER: 'S3' } }, async (stack) => {
    const full = Array.from({ length: 1_000 }, (_, i) => ({ id: `old-${i}`, status: 'enabled', importMode: 'create' }));
    for (let start = 0; start < full.length; start += 100) {
      expect((await stack.rest('POST', '/devices', full.slice(start, start + 100))).status).toBe(200);
    }
    await admin(stack, 'PATCH', '/options', { maxDevices: full.length + ROOM, quotaMargin: 100 });
    await admin(stack, 'POST', '/reset', { what: ['activity'] });

    const file = Array.from({ length: FILE }, (_, i) => `{"id":"new-${i}","importMode":"create"}\n`).join('');
    const before = readRegistry(stack.data);
    await stack.drop('quota/devices.txt', file);
    const record = await stack.finalRecord('quota/devices.txt');
    const rows = await stack.rows(record);
    const after = readRegistry(stack.data);

    expect(judge({ before, after, file, rows }).contradictions).toEqual([]);
    expect(record).toMatchObject({
      state: 'completedWithFailures',
      outcomes: { succeeded: ROOM, failed: FILE - ROOM, unconfirmed: 0 },
    });
    expect(after.size).toBe(full.length + ROOM);
    const refused = rows.filter(({ outcome }) => outcome === 'failed');
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['IotHubQuotaExceeded']));
    for (const { reason, action } of refused) {
      expect(reason).not.toBe('');
      expect(action).not.toBe('');
    }
    const redrop = await stack.read('provision-results', record.report?.failedDevices ?? '');
    expect(redrop.trimEnd().split('\n')).toHaveLength(FILE - ROOM);

    const state = await stack.hubState();
    expect(state.jobs).toMatchObject({ importsCreated: 1, overlapped: false });
    expect(state.activity.largestBulkCall).toBeLessThanOrEqual(1);
  });
});
