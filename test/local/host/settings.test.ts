import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { storageConnection } from '../../../local/host/connections.ts';
import { chooseHostId } from '../../../local/host/hostId.ts';
import { parseHostJson, readHostJson } from '../../../local/host/hostJson.ts';
import {
  isDisabled,
  readLocalSettings,
  resolveBinding,
  resolveNames,
  settingsFrom,
} from '../../../local/host/settings.ts';
import { parseTimeSpan } from '../../../local/host/timeSpan.ts';
import { createUnkindness, shuffled } from '../../../local/host/unkindness.ts';
import { projectRoot } from '../../../local/stack/projectRoot.ts';

const account = (port: number) =>
  `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:${port}/a;QueueEndpoint=http://127.0.0.1:${port + 1}/a;`;

describe('storage connections', () => {
  test('AzureWebJobsX comes before X', () => {
    const settings = settingsFrom({ AzureWebJobsX: account(1000), X: account(2000) });
    expect(storageConnection('X', settings).blobs().url).toBe('http://127.0.0.1:1000/a');
    expect(storageConnection('X', settings).queues().url).toBe('http://127.0.0.1:1001/a');
  });

  test('X serves when there is no AzureWebJobsX', () => {
    expect(storageConnection('X', settingsFrom({ X: account(2000) })).blobs().url).toBe('http://127.0.0.1:2000/a');
  });

  test('the ConnectionStrings section comes before a plain setting, in both spellings', () => {
    for (const name of ['ConnectionStrings:X', 'ConnectionStrings__X', 'CUSTOMCONNSTR_X']) {
      const settings = settingsFrom({ [name]: account(1000), X: account(2000) });
      expect(storageConnection('X', settings).blobs().url).toBe('http://127.0.0.1:1000/a');
    }
  });

  test('an empty name, "Storage" and "AzureWebJobsStorage" are the same connection', () => {
    const settings = settingsFrom({ AzureWebJobsStorage: account(1000) });
    for (const name of [undefined, '', 'Storage', 'AzureWebJobsStorage']) {
      expect(storageConnection(name, settings).blobs().url).toBe('http://127.0.0.1:1000/a');
    }
  });

  test('development storage means the default ports of Azurite', () => {
    const connection = storageConnection('', settingsFrom({ AzureWebJobsStorage: 'UseDevelopmentStorage=true' }));
    expect(connection.blobs().url).toBe('http://127.0.0.1:10000/devstoreaccount1');
    expect(connection.queues().url).toBe('http://127.0.0.1:10001/devstoreaccount1');
  });

  test('an identity section gives addresses by service or by account name', () => {
    const byName = storageConnection('X', settingsFrom({ X__accountName: 'acc' }));
    expect(byName.blobs().url).toBe('https://acc.blob.core.windows.net/');
    expect(byName.queues().url).toBe('https://acc.queue.core.windows.net');
    const byUri = storageConnection(
      'X',
      settingsFrom({ X__blobServiceUri: 'https://b.example/', X__accountName: 'acc' }),
    );
    expect(byUri.blobs().url).toBe('https://b.example/');
  });

  test('an identity section without queues says which setting is missing', () => {
    const connection = storageConnection('X', settingsFrom({ X__blobServiceUri: 'https://b.example/' }));
    expect(() => connection.queues()).toThrow('"X__queueServiceUri"');
  });

  test('a connection that does not exist is named with the settings that were looked for', () => {
    expect(() => storageConnection('X', settingsFrom({}))).toThrow(/"X" does not exist.*"AzureWebJobsX".*"X"/);
  });

  test('a bad connection string is named by its setting and not quoted', () => {
    const connection = storageConnection('X', settingsFrom({ X: 'AccountKey=very-secret' }));
    expect(() => connection.blobs()).toThrow('App setting "X" is not a valid storage connection string.');
  });
});

describe('app settings', () => {
  test('%Name% is resolved in options, but not in the route and the names', () => {
    const settings = settingsFrom({ A: 'one', B: 'two' });
    expect(
      resolveBinding({ name: '%A%', type: 'x', route: '%A%', path: '%A%/%B%', schedule: '%a%', flag: true }, settings),
    ).toEqual({ name: '%A%', type: 'x', route: '%A%', path: 'one/two', schedule: 'one', flag: true });
  });

  test('an unknown %Name% is an error by name', () => {
    expect(() => resolveNames('%NOPE%', settingsFrom({}))).toThrow('there is no app setting "NOPE"');
  });

  test('a function is disabled by its setting', () => {
    expect(isDisabled('f', settingsFrom({ 'AzureWebJobs.f.Disabled': 'True' }))).toBe(true);
    expect(isDisabled('f', settingsFrom({ AzureWebJobs_f_Disabled: '1' }))).toBe(true);
    expect(isDisabled('f', settingsFrom({ 'AzureWebJobs.f.Disabled': 'false', 'AzureWebJobs.g.Disabled': '1' }))).toBe(
      false,
    );
  });
});

describe('local.settings.json', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'settings-'));
  });
  afterEach(() => rm(directory, { recursive: true }));
  const write = (text: string) => writeFile(join(directory, 'local.settings.json'), text);

  test('may be missing', async () => {
    expect(await readLocalSettings(directory)).toEqual({});
  });

  test('gives Values and ConnectionStrings', async () => {
    await write('{"Values":{"A":"1"},"ConnectionStrings":{"S":"text","T":{"ConnectionString":"other"}}}');
    expect(await readLocalSettings(directory)).toEqual({
      A: '1',
      'ConnectionStrings:S': 'text',
      'ConnectionStrings:T': 'other',
    });
  });

  for (const [text, reason] of [
    ['{', /not valid JSON/],
    ['{"Values":{"A":1}}', /"A".*must be a string/],
    ['{"IsEncrypted":true}', /encrypted/],
    ['{"Values":[]}', /"Values".*must be a JSON object/],
  ] as const) {
    test(`refuses ${text}`, async () => {
      await write(text);
      await expect(readLocalSettings(directory)).rejects.toThrow(reason);
    });
  }
});

describe('host.json', () => {
  test('has the documented defaults', () => {
    const { routePrefix, functionTimeout, blobs, durableTask } = parseHostJson({ version: '2.0' });
    expect({ routePrefix, functionTimeout, durableTask }).toEqual({
      routePrefix: 'api',
      functionTimeout: 1_800_000,
      durableTask: {},
    });
    expect(blobs.poisonBlobThreshold).toBe(5);
    expect(blobs.maxDegreeOfParallelism).toBeGreaterThanOrEqual(8);
  });

  test('gives what it says', () => {
    const json = {
      version: '2.0',
      functionTimeout: '-1',
      extensionBundle: { id: 'x' },
      extensions: { http: { routePrefix: '/my/' }, blobs: { poisonBlobThreshold: 2 }, durableTask: { hubName: 'h' } },
    };
    expect(parseHostJson(json)).toMatchObject({
      routePrefix: 'my',
      functionTimeout: undefined,
      blobs: { poisonBlobThreshold: 2 },
      durableTask: { hubName: 'h' },
    });
  });

  test('names every wrong member at once', () => {
    const json = {
      functionTimeout: 'soon',
      extensions: { http: { routePrefix: 1 }, blobs: { poisonBlobThreshold: 0 } },
    };
    expect(() => parseHostJson(json)).toThrow(/version.*routePrefix.*functionTimeout.*poisonBlobThreshold/s);
  });

  const withDurable = (durableTask: unknown) => ({ version: '2.0', extensions: { durableTask } });

  test('means the same in any case, as in all .NET configuration', () => {
    const json = { Version: '2.0', EXTENSIONS: { DurableTask: { hubname: 'h', MaxConcurrentActivityFunctions: 3 } } };
    expect(parseHostJson(json).durableTask).toEqual({ hubName: 'h', maxConcurrentActivityFunctions: 3 });
  });

  test('is overridden by app settings, whose texts are read as numbers where those belong', () => {
    const settings = settingsFrom({
      AzureFunctionsJobHost__functionTimeout: '00:01:00',
      AzureFunctionsJobHost__extensions__blobs__maxDegreeOfParallelism: '3',
      azurefunctionsjobhost__EXTENSIONS__durableTask__maxConcurrentActivityFunctions: '2',
      'AzureFunctionsJobHost:extensions:http:routePrefix': 'v1',
      AzureFunctionsJobHost__logging__logLevel__Default: 'Debug',
    });
    const json = { ...withDurable({ hubName: 'h', maxConcurrentActivityFunctions: 7 }), functionTimeout: '00:05:00' };
    expect(parseHostJson(json, 'host.json', settings.section('AzureFunctionsJobHost'))).toMatchObject({
      functionTimeout: 60_000,
      routePrefix: 'v1',
      blobs: { maxDegreeOfParallelism: 3 },
      durableTask: { hubName: 'h', maxConcurrentActivityFunctions: 2 },
      withoutEffect: ['AzureFunctionsJobHost__logging__loglevel__default'],
    });
  });

  test.each<[unknown, readonly string[]]>([
    [
      { logging: { logLevel: { 'Host.Triggers.DurableTask': 'Warning' } } },
      ['logging.logLevel.Host.Triggers.DurableTask'],
    ],
    [{ extensionBundle: { id: 'x', version: '[4.*, 5.0.0)' } }, ['extensionBundle.id', 'extensionBundle.version']],
    [
      { watchDirectories: ['Shared'], healthMonitor: { enabled: false } },
      ['watchDirectories', 'healthMonitor.enabled'],
    ],
    [{ extensions: { http: { maxConcurrentRequests: 5 } } }, ['extensions.http.maxConcurrentRequests']],
    [
      { extensions: { queues: { batchSize: 8 }, mine: { a: { b: 1 } } } },
      ['extensions.queues.batchSize', 'extensions.mine.a.b'],
    ],
    [
      { extensions: { durableTask: { storageProvider: { FetchLargeMessagesAutomatically: true } } } },
      ['extensions.durableTask.storageProvider.FetchLargeMessagesAutomatically'],
    ],
    [
      { extensions: { durableTask: { storageProvider: { type: 'mssql', schemaName: 'dt' } } } },
      ['extensions.durableTask.storageProvider.type', 'extensions.durableTask.storageProvider.schemaName'],
    ],
    [
      { extensions: { durableTask: { versionMatchStrategy: 'CurrentOrOlder' } } },
      ['extensions.durableTask.versionMatchStrategy'],
    ],
    [{ functions: [] }, ['functions']],
    [{ $schema: 'https://json.schemastore.org/host.json', retry: null, extensions: {} }, []],
  ])('names what has no effect on this host: %j', (json, names) => {
    expect(parseHostJson({ version: '2.0', ...(json as object) }).withoutEffect).toEqual(names);
  });

  test.each<[unknown, string]>([
    [{ functionTimeOuts: '00:01:00' }, '"functionTimeOuts" is no setting that this host knows'],
    [{ extensions: { blobs: { maxDegreeOfParalelism: 1 } } }, '"extensions.blobs.maxDegreeOfParalelism" is no setting'],
    [
      { extensions: { durableTask: { storageProvider: { controlQueueVisibilityTimeOuts: '00:01:00' } } } },
      '"extensions.durableTask.storageProvider.controlQueueVisibilityTimeOuts" is no setting that this host knows',
    ],
    [{ functions: ['one'] }, '"functions": this host runs all functions'],
    [
      { customHandler: { description: { defaultExecutablePath: 'x' } } },
      '"customHandler.description.defaultExecutablePath"',
    ],
    [
      { extensions: { durableTask: { overridableExistingInstanceStates: 'AnyState' } } },
      '"extensions.durableTask.overridableExistingInstanceStates": this host starts an instance anew only',
    ],
    [
      { extensions: { durableTask: { versionMatchStrategy: 'Strict' } } },
      '"extensions.durableTask.versionMatchStrategy"',
    ],
    [{ extensions: { blobs: 5 } }, '"extensions.blobs" must be an object'],
    [{ extensions: [] }, '"extensions" must be an object'],
  ])('is refused by the name of the setting: %j', (json, problem) => {
    expect(() => parseHostJson({ version: '2.0', ...(json as object) })).toThrow(problem);
  });

  test('names an app setting that it does not know as it is written', () => {
    const settings = settingsFrom({ AzureFunctionsJobHost__extensions__blobs__poison: '1' });
    expect(() => parseHostJson({ version: '2.0' }, 'host.json', settings.section('AzureFunctionsJobHost'))).toThrow(
      '"AzureFunctionsJobHost__extensions__blobs__poison" is no setting that this host knows',
    );
    expect(() => parseHostJson([])).toThrow('the file must be an object');
  });

  test('of this app has no setting that this host does not know', async () => {
    const { hubName, ...limits } = (await readHostJson(projectRoot(), settingsFrom({}))).durableTask;
    expect(hubName).toBe('HubKeeper');
    expect(limits).toEqual({ maxConcurrentActivityFunctions: 8, maxConcurrentOrchestratorFunctions: 8 });
  });

  test('of this app leaves the extension the time that its renewing needs, and no more than twice that', async () => {
    const { extensions } = JSON.parse(await readFile(join(projectRoot(), 'host.json'), 'utf8'));
    const seconds = (name: string) => (parseTimeSpan(extensions.durableTask.storageProvider[name]) ?? 0) / 1000;
    // Renewed every 30 s, looked at every 5 s, and as long again for a renewal that is slow.
    expect(seconds('workItemQueueVisibilityTimeout')).toBe(60);
    expect(seconds('controlQueueVisibilityTimeout')).toBe(120);
  });
});

describe('host id', () => {
  test('depends on the folder and fits into a queue name', () => {
    const one = chooseHostId('/apps/one', undefined, settingsFrom({}));
    expect(one).toMatch(/^[a-z0-9]+(?:-[a-z0-9]+)*$/);
    expect(one.length).toBeLessThanOrEqual(32);
    expect(chooseHostId('/apps/one', undefined, settingsFrom({}))).toBe(one);
    expect(chooseHostId('/apps/two', undefined, settingsFrom({}))).not.toBe(one);
  });

  test('is overridden by the setting first, then by the option', () => {
    const settings = settingsFrom({ AzureFunctionsWebHost__hostid: 'from-setting' });
    expect(chooseHostId('/x', 'from-option', settings)).toBe('from-setting');
    expect(chooseHostId('/x', 'from-option', settingsFrom({}))).toBe('from-option');
  });

  test('is refused when no queue could carry it', () => {
    expect(() => chooseHostId('/x', 'Not_Valid', settingsFrom({}))).toThrow('Host id "Not_Valid" is not usable');
  });
});

describe('unkindness', () => {
  const choices = (seed: number) => {
    const unkind = createUnkindness(seed);
    return Array.from({ length: 50 }, () => [unkind.chance(0.5), unkind.delayMs(1000)]);
  };

  test('makes the same choices for the same seed, others for another', () => {
    expect(choices(7)).toEqual(choices(7));
    expect(choices(7)).not.toEqual(choices(8));
  });

  test('shuffles without losing anything', () => {
    const items = Array.from({ length: 20 }, (_, index) => index);
    const mixed = shuffled(items, createUnkindness(1));
    expect(mixed).not.toEqual(items);
    expect(mixed.toSorted((a, b) => a - b)).toEqual(items);
    expect(shuffled(items, undefined)).toEqual(items);
  });
});
