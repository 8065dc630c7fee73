import { afterEach, describe, expect, test } from 'vitest';
import { endProcess } from '../../helpers/childOutput.ts';
import { type HostProcess, spawnHost, startHost } from '../../helpers/hostProcess.ts';
import { fixtureApp } from './notes.ts';

let host: HostProcess | undefined;
afterEach(async () => {
  expect((await host?.stop()) ?? 0).toBe(0);
  host = undefined;
});

/** Starts a host that is expected to refuse the app; its exit code and what it logged. */
async function refusal(app: string, env: Record<string, string | undefined> = {}, args: readonly string[] = []) {
  const run = await spawnHost(fixtureApp(app), { env, args });
  try {
    const log = await run.log.waitFor(
      (text) => text.includes('\n') && run.process.exitCode !== null,
      'end of the host',
    );
    return { code: run.process.exitCode, log, stdout: run.stdout.text() };
  } finally {
    await endProcess(run.process, 'SIGKILL');
    await run.cleanUp();
  }
}

describe('a CommonJS app', () => {
  test('runs with every hook', async () => {
    host = await startHost(fixtureApp('hooks-cjs'));
    expect(host.functions).toEqual(['seen', 'replaced', 'rescued', 'logs', 'lateRegistration']);
    expect(await (await fetch(`${host.apiUrl}/replaced`)).text()).toBe('by the hook');
    expect(await (await fetch(`${host.apiUrl}/rescued`)).text()).toBe('rescued, replacing undefined');
    expect(await (await fetch(`${host.apiUrl}/seen`)).json()).toEqual([
      'appStart',
      'pre replaced',
      'post replaced pre',
      'pre rescued',
      'post rescued pre',
      'pre seen',
      // The handler gave the list itself, which is written out only after the hooks.
      'post seen pre',
    ]);
  });

  test('can change its log lines in a log hook', async () => {
    host = await startHost(fixtureApp('hooks-cjs'));
    await fetch(`${host.apiUrl}/logs`);
    expect(await host.log.waitFor((text) => text.includes('[logs] this is'), 'log line')).toContain(
      '[logs] this is ***',
    );
    expect(host.log.text()).not.toContain('confidential');
  });

  test('cannot register a function once it has started', async () => {
    host = await startHost(fixtureApp('hooks-cjs'));
    expect((await fetch(`${host.apiUrl}/lateRegistration`)).status).toBe(500);
    await host.log.waitFor(
      (text) => text.includes('A function can only be registered during app startup.'),
      'reason in the log',
    );
  });

  test('is told of a clean stop, which ends with exit code 0', async () => {
    const running = await startHost(fixtureApp('hooks-cjs'));
    expect(await running.stop()).toBe(0);
    expect(running.log.text()).toContain('terminated cleanly');
  });
});

test('a TypeScript app runs without a build, here without a route prefix', async () => {
  host = await startHost(fixtureApp('typescript'));
  expect(new URL(host.apiUrl).pathname).toBe('/');
  expect(await (await fetch(`${host.baseUrl}/typed`)).text()).toBe('GET');
});

test('console and context lines go to the log with level and function, and never to standard output', async () => {
  const run = await spawnHost(fixtureApp('http-esm'));
  try {
    const ready = await run.stdout.waitFor((text) => text.includes('\n'), 'ready line');
    await fetch(`${(JSON.parse(ready) as { apiUrl: string }).apiUrl}/console`);
    const log = await run.log.waitFor((text) => text.includes('through context'), 'log lines');
    expect(log).toMatch(/ INFO +\[console\] through console\n/);
    expect(log).toMatch(/ WARNING +\[console\] a warning\n/);
    expect(log).toMatch(/ INFO +\[console\] through context 7\n/);
    expect(await endProcess(run.process, 'SIGINT')).toBe(0);
    expect(run.stdout.text()).toBe(ready);
  } finally {
    await endProcess(run.process, 'SIGKILL');
    await run.cleanUp();
  }
});

test('a "main" that matches no file is an error with the pattern', async () => {
  const { code, log, stdout } = await refusal('no-files');
  expect(code).toBe(1);
  expect(log).toContain('Found zero files matching the supplied pattern "dist/*.js"');
  expect(stdout).toBe('');
});

test('files that fail to load are all named at once', async () => {
  const { code, log } = await refusal('broken');
  expect(code).toBe(1);
  expect(log).toContain('functions/a-duplicate.js: Error: A function with id "same" has already been registered.');
  expect(log).toContain('functions/b-throws.js: Error: a problem at load');
});

test('what stops several files alike is told once, without their names and the stack; those are for debugging', async () => {
  const { code, log } = await refusal('settings-missing');
  expect(code).toBe(1);
  const lines = log.trimEnd().split('\n');
  expect(lines[0]).toMatch(/ERROR +\[host\] The app in \S+settings-missing cannot be loaded: Settings are missing:$/);
  expect(lines.slice(1)).toEqual(['      - HUB is missing: give its name.']);

  const debug = await refusal('settings-missing', {}, ['--log-level', 'debug']);
  expect(debug.log).toContain('functions/first.js, functions/second.js: SettingsError: Settings are missing:');
  expect(debug.log).toMatch(/\n +at .*settings\.js:\d+/);
});

test('everything that the host does not support, or cannot resolve, is named by function at once', async () => {
  const { code, log } = await refusal('unsupported', {
    AzureWebJobsStorage: 'UseDevelopmentStorage=true',
    Events: 'Endpoint=sb://127.0.0.1/;SharedAccessKeyName=a;SharedAccessKey=Zm9v',
  });
  expect(code).toBe(1);
  for (const problem of [
    'HTTP streaming is not supported',
    'function "onQueue": trigger type "queueTrigger" is not supported',
    'function "onCosmos": trigger type "cosmosDBTrigger" is not supported',
    'function "writesBlob": output binding type "blob" is not supported',
    'function "readsBlob": input binding type "blob" is not supported',
    'function "badSchedule": schedule "61 * * * * *"',
    'function "missingSetting": "%NO_SUCH_SCHEDULE%" does not resolve',
    'function "noConnection": Storage connection "NO_SUCH_STORAGE" does not exist',
    'function "badPath": path "{container}/{name}"',
    'function "noEvents": Event Hubs connection "NO_SUCH_EVENTS" does not exist',
    'function "badCardinality": "cardinality" must be "one" or "many", not "few"',
    'function "badDataType": "dataType" must be "binary" or "string", not "stream"',
    'function "missingGroup": "%NO_SUCH_GROUP%" does not resolve',
    'function "badRoute": the constraint "postcode" is not supported',
    'function "two": its route and methods conflict with those of "one"',
  ]) {
    expect(log).toContain(problem);
  }
});

test('a blob function without the host storage is refused by the name of the setting', async () => {
  const { code, log } = await refusal('blobs', {
    AzureWebJobsStorage: undefined,
    Uploads: 'UseDevelopmentStorage=true',
    PREFIX: 'x-',
  });
  expect(code).toBe(1);
  expect(log).toMatch(/own storage, for incoming, byClient, byEvent: .*"AzureWebJobsStorage"/);
});

test('a folder that is no app is refused by the file that is missing', async () => {
  const { code, log } = await refusal('nowhere');
  expect(code).toBe(1);
  expect(log).toContain('host.json');
});
