import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';
import { readSettings, SETTINGS, type Setting, SettingsError } from '../../src/lib/settings.ts';
import type { StorageConnection } from '../../src/lib/storage/connection.ts';

const root = new URL('../../', import.meta.url);
const sample = JSON.parse(readFileSync(new URL('local.settings.sample.json', root), 'utf8')) as {
  Values: Record<string, string>;
};
const hub = 'HostName=h.azure-devices.net;SharedAccessKeyName=iothubowner;SharedAccessKey=c2VjcmV0LXNlY3JldC1zZWNyZXQ=';
const good = { AzureWebJobsStorage: 'UseDevelopmentStorage=true', IOTHUB: hub };

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readSettings(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('settings', () => {
  it('are the same in the sample file and in the code, value for value', () => {
    const expected = Object.entries<Setting>(SETTINGS).map(([name, { sample: value, default: fallback }]) => [
      name,
      value ?? String(fallback),
    ]);
    expect(sample.Values).toEqual(Object.fromEntries(expected));
  });

  it('of the sample file are accepted as they are', () => {
    expect(problemsOf(sample.Values)).toEqual([]);
  });

  it('fall back to the storage of the Functions host', () => {
    expect(readSettings(good)).toMatchObject({
      storageConnectionName: 'AzureWebJobsStorage',
      storage: { kind: 'connectionString', connectionString: 'UseDevelopmentStorage=true' },
    });
  });

  it('take an identity wherever they take a connection string', () => {
    const environment = {
      ...good,
      HUBKEEPER_STORAGE__blobServiceUri: 'https://a.blob.core.windows.net',
      HUBKEEPER_STORAGE__clientId: 'client',
      IOTHUB: 'myhub.azure-devices.net',
    };
    expect(readSettings(environment)).toMatchObject({
      storageConnectionName: 'HUBKEEPER_STORAGE',
      storage: { kind: 'identity', blobServiceUri: 'https://a.blob.core.windows.net', clientId: 'client' },
    });
  });

  it('tell where the tables are, unless they follow from the blob service', () => {
    const storageOf = (settings: Readonly<Record<string, string>>) =>
      readSettings({ ...good, ...settings }).storage as StorageConnection & { readonly kind: 'identity' };
    const blobServiceUri = 'https://a.blob.core.windows.net';
    expect(storageOf({ HUBKEEPER_STORAGE__accountName: 'a' }).tableServiceUri).toBe('https://a.table.core.windows.net');
    expect(storageOf({ HUBKEEPER_STORAGE__blobServiceUri: blobServiceUri }).tableServiceUri).toBeUndefined();
    const tableServiceUri = 'https://tables.example';
    const both = {
      HUBKEEPER_STORAGE__blobServiceUri: blobServiceUri,
      HUBKEEPER_STORAGE__tableServiceUri: tableServiceUri,
    };
    expect(storageOf(both).tableServiceUri).toBe(tableServiceUri);
    expect(
      problemsOf({ ...good, ...both, HUBKEEPER_STORAGE__tableServiceUri: 'https://t.example?sig=c2VjcmV0' }),
    ).toEqual([expect.stringMatching(/^HUBKEEPER_STORAGE__tableServiceUri (?!.*c2VjcmV0)/)]);
  });

  it.each([
    { HUBKEEPER_STORAGE__blobServiceUri: 'https://blobs.example' },
    {
      HUBKEEPER_STORAGE:
        'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5;BlobEndpoint=https://blobs.example',
    },
  ])('with a mirror must tell where the tables are: %j does not', (settings) => {
    const events = 'Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=k;EntityPath=fleet';
    expect(problemsOf({ ...good, ...settings })).toEqual([]);
    expect(problemsOf({ ...good, ...settings, MIRROR_EVENTS: events })).toEqual([
      expect.stringContaining('HUBKEEPER_STORAGE does not tell where the tables are'),
    ]);
  });

  it('give each hub its alias in lower case', () => {
    const { hubs } = readSettings({ ...good, IOTHUB__East1: hub, IOTHUB__west: hub });
    expect([...hubs.keys()].sort()).toEqual(['default', 'east1', 'west']);
  });

  it('are reported all at once, each by its name and with what to do, and never with its value', () => {
    const problems = problemsOf({
      IOTHUB: 'SharedAccessKey=c2VjcmV0LXNlY3JldC1zZWNyZXQ=',
      'IOTHUB__no-good': hub,
      STORAGE_AUTH: 'keys',
      STORAGE_IDENTITY: '/subscriptions/1',
      PROVISION_CONTAINER: 'Provision--Box',
      DROP_SETTLE_SECONDS: 'soon',
      DROP_MAX_AGE_DAYS: '-1',
      SWEEP_SCHEDULE: '*/5 * * * *',
      BLOB_BINDING: 'stream',
    });
    for (const name of [
      'HUBKEEPER_STORAGE',
      'IOTHUB:',
      'IOTHUB__no-good',
      'STORAGE_AUTH must be one of sas, identity',
      'STORAGE_IDENTITY',
      'PROVISION_CONTAINER',
      'DROP_SETTLE_SECONDS must be a number from 0 to 3600',
      'DROP_MAX_AGE_DAYS',
      'SWEEP_SCHEDULE',
      'BLOB_BINDING must be one of bytes, reference',
    ]) {
      expect(
        problems.filter((problem) => problem.includes(name)),
        name,
      ).toHaveLength(1);
    }
    expect(problems.join('\n')).not.toMatch(/c2VjcmV0|soon|Provision--Box/);
  });

  it.each([
    ['BlobEndpoint=https://a.blob.core.windows.net;SharedAccessSignature=sv=1&sig=c2VjcmV0', 'shared access signature'],
    ['garbage', 'no storage connection string'],
    ['AccountName=a;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net', 'DefaultEndpointsProtocol=https'],
    ['DefaultEndpointsProtocol=https;AccountName=a;AccountKey=c2VjcmV0', 'EndpointSuffix'],
  ])('refuse a storage connection that cannot work', (text, says) => {
    const problems = problemsOf({ HUBKEEPER_STORAGE: text, IOTHUB: hub });
    expect(problems).toEqual([expect.stringContaining(says)]);
    expect(problems.join()).not.toContain('c2VjcmV0');
  });

  it.each(['hubkeeper-runs', 'provision-results', 'hubkeeper-run-0123'])('refuse %s as the drop box', (name) => {
    expect(problemsOf({ ...good, PROVISION_CONTAINER: name })).toEqual([
      expect.stringContaining('PROVISION_CONTAINER'),
    ]);
  });

  it('say that a hub is missing', () => {
    expect(problemsOf({ AzureWebJobsStorage: 'UseDevelopmentStorage=true' })).toEqual([
      expect.stringContaining('IOTHUB is missing'),
    ]);
  });
});

describe('settings of backups', () => {
  it('have defaults', () => {
    expect(readSettings(good).backups).toEqual({
      schedule: '0 0 2 * * *',
      keep: { daily: 14, weekly: 8, monthly: 12 },
      keys: 'included',
      extrasMinutes: 30,
      verifySchedule: '0 0 4 * * 0',
    });
  });

  it.each(['off', ' OFF ', '', ' '])('have no timer where its schedule is "%s"', (value) => {
    const { backups } = readSettings({ ...good, BACKUP_SCHEDULE: value, BACKUP_VERIFY_SCHEDULE: value });
    expect(Object.keys(backups)).toEqual(['keep', 'keys', 'extrasMinutes']);
  });

  it('are named where they are wrong', () => {
    const wrong = {
      BACKUP_SCHEDULE: '0 0 25 * * *',
      BACKUP_KEEP: 'daily=0,weekly=0',
      BACKUP_KEYS: 'some',
      BACKUP_EXTRAS_MINUTES: '-1',
      BACKUP_VERIFY_SCHEDULE: 'weekly',
      SWEEP_SCHEDULE: '0 */61 * * 13 *',
    };
    expect(
      problemsOf({ ...good, ...wrong })
        .map((problem) => problem.split(' ', 1)[0])
        .sort(),
    ).toEqual(Object.keys(wrong).sort());
    expect(problemsOf({ ...good, PROVISION_CONTAINER: 'registry-backups' })).toHaveLength(1);
  });

  it('turn the mirror on with the first source of events, each with its event hub', () => {
    const events = 'Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=a;SharedAccessKey=b';
    expect(readSettings(good).mirror).toBeUndefined();
    expect(readSettings({ ...good, MIRROR_EVENTS: `${events};EntityPath=fleet` }).mirror).toMatchObject({
      sources: [{ connectionName: 'MIRROR_EVENTS', eventHub: 'fleet', consumerGroup: '$Default' }],
      table: 'hubkeepermirror',
      reconcileSchedule: '0 0 */6 * * *',
    });
    const two = {
      ...good,
      IOTHUB__east: hub,
      MIRROR_EVENTS__fullyQualifiedNamespace: 'ns.servicebus.windows.net',
      MIRROR_EVENT_HUB: 'fleet',
      MIRROR_EVENTS_east: `${events};EntityPath=east`,
      RECONCILE_SCHEDULE: 'off',
    };
    const { mirror } = readSettings(two);
    expect(mirror?.reconcileSchedule).toBeUndefined();
    expect(mirror?.sources).toMatchObject([
      { connectionName: 'MIRROR_EVENTS', connection: { fullyQualifiedNamespace: 'ns.servicebus.windows.net' } },
      { connectionName: 'MIRROR_EVENTS_east', eventHub: 'east', hub: 'east' },
    ]);
  });

  it('of the mirror are named when they cannot be', () => {
    const environment = { ...good, MIRROR_EVENTS: 'no such thing', MIRROR_EVENTS_west: 'x', MIRROR_TABLE: '1' };
    expect(problemsOf({ ...environment, RECONCILE_SCHEDULE: 'now' }).map((problem) => problem.split(' ')[0])).toEqual([
      'MIRROR_TABLE',
      'MIRROR_EVENTS',
      'MIRROR_EVENTS',
      'MIRROR_EVENTS_west:',
      'RECONCILE_SCHEDULE',
    ]);
  });
});
