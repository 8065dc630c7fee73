import { readFile } from 'node:fs/promises';

import { TableClient } from '@azure/data-tables';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { keyText, type MirrorRow } from '../../src/lib/mirror/rows/row.ts';
import { createTableStore } from '../../src/lib/mirror/store/tableStore.ts';
import { ROLES } from '../../src/lib/roles.ts';
import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { type OtlpCollector, startOtlpCollector } from '../helpers/otlpCollector.ts';
import { linesText } from '../helpers/simulatedHub.ts';
import type { TestStack } from '../helpers/stack.ts';
import { RIGHTS_OF_THE_HUB } from '../infra/rights.ts';
import { type IdentityStack, withIdentityStack, without } from '../scenarios/identityStack.ts';
import { findSecrets, NAMED_SECRETS } from '../scenarios/secretScan.ts';

let collector: OtlpCollector;
beforeAll(async () => {
  collector = await startOtlpCollector();
});
afterAll(() => collector.stop());

/** Another folder of the app, such as one that a package was unpacked to; absent: this project. */
const APP = process.env['HUBKEEPER_TEST_APP'];

async function mirrored({ storageConnectionString }: TestStack): Promise<Record<string, MirrorRow>> {
  const table = TableClient.fromConnectionString(storageConnectionString, 'hubkeepermirror');
  const rows = await Array.fromAsync(createTableStore(table).rows('default'));
  return Object.fromEntries(rows.map(({ row }) => [keyText(row), row]));
}

async function health({ api }: TestStack): Promise<string> {
  return JSON.stringify((await api('GET', 'health')).body);
}

async function finished(stack: TestStack, path: string, body: object): Promise<WorkRun> {
  const { status, body: reply } = await stack.api('POST', path, body);
  expect(status, JSON.stringify(reply)).toBe(202);
  const run = await stack.finalRun<WorkRun>((reply as WorkRun).runId);
  expect(run).toMatchObject({ state: 'completed' });
  return run;
}

/** All variables of the process of the host, where the system tells them; else those that were set for it. */
async function environmentOf(pid: number | undefined, settings: Readonly<Record<string, string>>): Promise<string> {
  const all = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  return `${all}\n${Object.values(settings).join('\n')}`;
}

/** What the record of a drop says that cannot be run. */
async function failed(stack: TestStack, name: string): Promise<string> {
  await stack.drop(name, linesText([{ id: 'later', importMode: 'create' }]));
  const { state, error } = await stack.finalRecord(name);
  expect(state).toBe('failed');
  return JSON.stringify(error);
}

/** Drop, backup, mirror, restore. */
async function works({ stack, settings }: IdentityStack): Promise<void> {
  await stack.drop(
    'fleet/devices.txt',
    linesText([
      { id: 'gate', capabilities: { iotEdge: true } },
      { id: 'pump', tags: { site: 'faro' }, parent: 'gate' },
      { id: 'pump', moduleId: 'valve' },
    ]),
  );
  expect(await stack.finalRecord('fleet/devices.txt')).toMatchObject({ state: 'completed' });
  const made = await finished(stack, 'backups', { hub: 'default' });

  // Told by an event alone.
  await stack.rest('PATCH', '/twins/pump', { tags: { site: 'oslo' } });
  await stack.until('the row of the pump', async () => {
    const row = (await mirrored(stack))['pump'];
    return (row?.twin?.tags as { site?: string } | undefined)?.site === 'oslo';
  });
  await stack.rest('DELETE', '/devices/pump', undefined, { 'if-match': '*' });
  const backup = String(made.result?.['backup']);
  await finished(stack, 'restores', { backup, mode: 'missing', confirm: settings['IOTHUB'] });
  expect((await stack.rest('GET', '/twins/pump')).body).toMatchObject({ tags: { site: 'faro' } });
  expect(await health(stack)).toMatch(/^\{"status":"healthy"/);
}

it('the whole app works with managed identities alone; a role that is missing is named; no secret is kept', async () => {
  const identities = {
    whole: without(),
    few: without('IoT Hub Data Contributor', 'Storage Table Data Contributor', 'Azure Event Hubs Data Receiver'),
    blind: without('Storage Blob Data Contributor'),
  };
  const telemetry = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '300',
    OTEL_BLRP_SCHEDULE_DELAY: '300',
  };
  const options = { identities, settings: telemetry, ...(APP === undefined ? {} : { app: APP }) };
  await withIdentityStack(options, async (world) => {
    const { stack, endpoint, settings, settingsOf } = world;
    await works(world);
    // Tokens are good for two minutes and a little, and are renewed before their last two.
    expect(world.leastLeftMs()).toBeGreaterThan(60_000);
    expect(endpoint.given.get('https://storage.azure.com')).toBeGreaterThan(2);

    world.giveHub([]);
    const locked = await failed(stack, 'locked/devices.txt');
    expect(locked).toContain('BlobContainerValidationError');
    expect(locked).toContain(ROLES.blobs);
    world.giveHub(RIGHTS_OF_THE_HUB);

    await stack.restartHost({ settings: settingsOf('few') });
    expect(await failed(stack, 'refused/devices.txt')).toContain(`the role ${ROLES.hub} on the hub`);
    const unwell = await health(stack);
    expect(unwell).toContain(`the role ${ROLES.hub} on the hub`);
    expect(unwell).toContain(`the role ${ROLES.events} on the event hub`);
    const { status, body } = await stack.api('GET', 'devices');
    expect([status, JSON.stringify(body)]).toEqual([503, expect.stringContaining(`the role ${ROLES.tables} on`)]);

    await stack.restartHost({ settings: settingsOf('blind') });
    expect(await health(stack)).toContain(`the role ${ROLES.blobs} on the storage account`);

    await stack.restartHost({ settings: settingsOf('whole') });
    const set = await environmentOf(stack.pids()['host'], settings);
    expect(world.secrets.filter((secret) => set.includes(secret))).toEqual([]);
    expect(NAMED_SECRETS.exec(set)?.[0].slice(0, 12)).toBeUndefined();
    // Nor is the header that opens the identity endpoint, which App Service sets.
    const header = String(settings['IDENTITY_HEADER']);
    const kept = [...world.secrets, header, ...endpoint.tokens];
    expect(await findSecrets(stack, kept)).toEqual([]);
    expect(collector.spans().length).toBeGreaterThan(20);
    const told = collector.text();
    expect(kept.filter((secret) => told.includes(secret))).toEqual([]);
    expect(NAMED_SECRETS.exec(told)?.[0].slice(0, 12)).toBeUndefined();
  });
});
