/** The command with the real stack and the built app (`npm run build`). */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { isAlive } from '../../../local/stack/processIdentity.ts';
import type { ProvisionRun } from '../../../src/lib/provisioning/run/provisionRun.ts';
import { startOtlpCollector } from '../../helpers/otlpCollector.ts';
import { type RunningCli, runCli, startCli } from '../runCli.ts';

interface ReadyLine {
  readonly data: string;
  readonly apiUrl: string;
  readonly adminUrl: string;
  readonly hubAdminUrl: string;
  readonly connectionString: string;
  readonly connectionStrings: Readonly<Record<string, string>>;
  readonly storageConnectionString: string;
  readonly hubs: Readonly<Record<string, { readonly connectionString: string; readonly adminUrl: string }>>;
  readonly pids: Readonly<Record<'supervisor' | 'azurite' | 'hub' | 'host', number>>;
}

let data: string;
let devices: string;
const pids: number[] = [];
const commands: RunningCli[] = [];

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cli-local-'));
  data = join(folder, 'data');
  devices = join(folder, 'devices.txt');
  await runCli(['generate', '200', '--out', devices]);
});

afterEach(async () => {
  const running = commands
    .splice(0)
    .filter(({ process: { exitCode, signalCode } }) => exitCode === null && signalCode === null);
  for (const command of running) command.process.kill('SIGINT');
  await Promise.all(running.map((command) => command.result));
  const leaked = pids.splice(0).filter((pid) => isAlive({ pid }));
  for (const pid of leaked) process.kill(pid, 'SIGKILL');
  await rm(join(data, '..'), { recursive: true });
  expect(leaked).toEqual([]);
});

async function startLocal(...args: string[]): Promise<RunningCli & { readonly ready: ReadyLine }> {
  const cli = startCli(['local', '--json', '--data', data, ...args]);
  commands.push(cli);
  const line = await Promise.race([
    new Promise<string>((resolve) => cli.process.stdout?.once('data', resolve)),
    cli.result.then(({ stderr }) => Promise.reject(new Error(stderr))),
  ]);
  const ready = JSON.parse(line) as ReadyLine;
  pids.push(...Object.values(ready.pids));
  return { ...cli, ready };
}

/** By the API: a command each time would be a process each time. */
const runOf = async ({ apiUrl }: ReadyLine, runId: string): Promise<Partial<ProvisionRun>> =>
  (await (await fetch(`${apiUrl}/runs/${runId}`)).json()) as Partial<ProvisionRun>;

const until = (condition: () => boolean | Promise<boolean>) =>
  vi.waitFor(async () => expect(await condition()).toBe(true), { timeout: 30_000, interval: 100 });

test('the local stack says in one line of JSON what is where, outlives kill -9 with its unfinished run, and stops on Ctrl-C', async () => {
  // A job of ten minutes: the run is under way when the supervisor is killed, and when the stack starts again.
  const collector = await startOtlpCollector();
  const otlp = ['--otlp', collector.url];
  const first = await startLocal('--no-sample', ...otlp, '--hub-args', '--job-run-ms 600000');
  expect(first.ready).toMatchObject({
    data,
    apiUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/api$/),
    adminUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/admin$/),
    hubAdminUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    connectionString: expect.stringContaining('UseDevelopmentEmulator=true'),
    connectionStrings: { registryRead: expect.stringContaining('SharedAccessKeyName=registryRead;') },
    storageConnectionString: expect.stringContaining('AccountName=devstoreaccount1;'),
    eventsConnectionString: expect.stringMatching(/^Endpoint=sb:\/\/127\.0\.0\.1:\d+\/;.*;EntityPath=[^;]+;/),
  });
  const again = await runCli(['local', '--data', data]);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining(`already running on ${data}`)]);

  const dropped = await runCli(['provision', devices, '--no-wait', '--json', '--data', data]);
  const { runId } = JSON.parse(dropped.stdout) as { runId: string };
  await until(async () => (await runOf(first.ready, runId)).jobs?.import?.status === 'running');
  expect((await runCli(['run', runId, '--data', data])).stdout).toContain('now       importing');
  process.kill(first.ready.pids.supervisor, 'SIGKILL');
  await first.result;
  expect(isAlive({ pid: first.ready.pids.hub })).toBe(true);

  const second = await startLocal('--no-sample', ...otlp);
  expect(Object.values(first.ready.pids).filter((pid) => isAlive({ pid }))).toEqual([]);
  expect(second.ready.connectionString).toBe(first.ready.connectionString);
  expect(second.ready.storageConnectionString).toBe(first.ready.storageConnectionString);
  await until(() => second.stderr().includes(`1 unfinished run of last time: ${runId}`));
  const watched = await runCli(['run', runId, '--watch', '--json', '--data', data]);
  expect(watched.code).toBe(0);
  expect(JSON.parse(watched.stdout)).toMatchObject({ run: { state: 'completed', outcomes: { succeeded: 200 } } });

  // Both stacks tell of the run in one trace.
  const traceId = (await runOf(second.ready, runId)).traceparent?.split('-')[1];
  const traced = () => collector.spans().filter((span) => span.traceId === traceId && span.traceId !== undefined);
  await until(() => traced().some(({ name }) => name === 'run provision'));
  expect(new Set(traced().map(({ name }) => name))).toContain('drop');
  await collector.stop();

  second.process.kill('SIGINT');
  const { code, stdout, stderr } = await second.result;
  expect(code).toBe(0);
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(stderr).not.toContain('SharedAccessKey=');
}, 120_000);

test('a start names the runs of last time that are suspended, with the command that lets each go on', async () => {
  const first = await startLocal('--no-sample', '--hub-args', '--job-run-ms 600000');
  const dropped = await runCli(['provision', devices, '--no-wait', '--json', '--data', data]);
  const { runId } = JSON.parse(dropped.stdout) as { runId: string };
  await until(async () => (await runOf(first.ready, runId)).jobs?.import?.status === 'running');
  expect((await runCli(['suspend', runId, '--data', data])).code).toBe(0);
  first.process.kill('SIGINT');
  await first.result;

  const second = await startLocal('--no-sample');
  const resume = `npx hubkeeper resume ${runId.slice(0, 8)} --data ${data}`;
  await until(() => second.stderr().includes(`Run ${runId} is suspended. Let it go on with:\n  ${resume}\n`));
  expect(second.stderr()).toContain(`1 unfinished run of last time: ${runId}\n`);
}, 120_000);

test('a run that its own local stack leaves behind goes on with the next, whose command stands alone', async () => {
  const cli = startCli(['provision', devices, '--data', data]);
  commands.push(cli);
  await until(() => cli.stderr().includes(': run '));
  cli.process.kill('SIGINT');
  const { code, stderr } = await cli.result;
  expect(code).toBe(130);
  expect(stderr).toMatch(
    /Run [0-9a-f]{20} stops with the local stack, and goes on when one is started again:\n {2}npx hubkeeper local --data \S+\n/,
  );
}, 120_000);

test('with a second hub, a file has to say which one it is for', async () => {
  const { ready } = await startLocal('--no-sample', '--hub', 'east');
  expect(Object.keys(ready.hubs)).toEqual(['default', 'east']);
  expect(ready.hubs['default']?.connectionString).toBe(ready.connectionString);

  const unnamed = await runCli(['provision', devices, '--data', data]);
  expect([unnamed.code, unnamed.stderr]).toEqual([
    2,
    'hubkeeper: The app has 2 hubs: default, east. Which of them is meant?\n' +
      `Name it: npx hubkeeper provision ${devices} --hub ALIAS --data ${data}\n`,
  ]);
  const misspelt = await runCli(['provision', devices, '--data', data, '--hub', 'eats']);
  expect([misspelt.code, misspelt.stderr]).toEqual([
    2,
    expect.stringContaining('hubkeeper: The app has no hub eats. It has: default, east.\n'),
  ]);
  const { code, stdout } = await runCli(['provision', devices, '--data', data, '--hub', 'east', '--json']);
  expect([code, JSON.parse(stdout)]).toMatchObject([0, { run: { hub: 'east', outcomes: { succeeded: 200 } } }]);
  const counts = Object.values(ready.hubs).map(async ({ adminUrl }) => {
    const state = (await (await fetch(`${adminUrl}/state`)).json()) as { readonly devices: number };
    return state.devices;
  });
  expect(await Promise.all(counts)).toEqual([0, 200]);
  // What was asked for nothing reached the drop box.
  const { stdout: listed } = await runCli(['runs', '--json', '--data', data]);
  expect(JSON.parse(listed)).toHaveLength(1);
});

test('a stack whose part dies stops, says which, and exits with 3', async () => {
  const { ready, result } = await startLocal('--no-sample');
  process.kill(ready.pids.host, 'SIGKILL');
  const { code, stderr } = await result;
  expect(code).toBe(3);
  expect(stderr).toContain('The Functions host ended by itself (signal SIGKILL).');
});

test('with no stack up, provision runs one for as long as it takes', async () => {
  const { code, stdout, stderr } = await runCli(['provision', devices, '--data', data, '--import-mode', 'create']);
  expect(stderr).toContain('No local stack is up: one is started for this run');
  expect(stdout).toMatch(/Completed after .*\n\n {2}succeeded +200\n/);
  expect(code).toBe(0);
  const listed = await runCli(['runs', '--data', data]);
  expect([listed.code, listed.stderr]).toEqual([2, expect.stringContaining('no local stack is up')]);
});

test('at its first start the sample is provisioned; cancel reaches a run', async () => {
  const { ready } = await startLocal();
  await until(async () => {
    const { runs } = (await (await fetch(`${ready.apiUrl}/runs`)).json()) as { runs: ProvisionRun[] };
    return runs.some(({ state }) => state === 'completed');
  });
  const { stdout } = await runCli(['runs', '--json', '--data', data]);
  expect(JSON.parse(stdout)).toMatchObject([{ batch: 'sample', state: 'completed' }]);
  // Within seconds it is in the mirror.
  const { body } = await vi.waitFor(
    async () => {
      const reply = await fetch(`${ready.apiUrl}/devices?modules=true`);
      const found = (await reply.json()) as { readonly rows: readonly { readonly deviceId: string }[] };
      expect(new Set(found.rows.map(({ deviceId }) => deviceId)).size).toBe(16);
      return { body: found };
    },
    { timeout: 30_000, interval: 300 },
  );
  expect(body.rows[0]).toMatchObject({ hub: 'default', deviceId: 'camera-gate-1', status: 'enabled' });

  // From now on a job takes ten minutes.
  await fetch(`${ready.hubAdminUrl}/options`, { method: 'PATCH', body: JSON.stringify({ jobRunMs: 600_000 }) });
  const dropped = await runCli(['provision', devices, '--no-wait', '--json', '--data', data]);
  const { runId } = JSON.parse(dropped.stdout) as { runId: string };
  await until(async () => (await runOf(ready, runId)).state === 'running');
  const cancelled = await runCli(['cancel', runId.slice(0, 8), '--data', data]);
  expect([cancelled.code, cancelled.stdout]).toEqual([0, expect.stringContaining(`Cancelling run ${runId}.`)]);
  const watched = await runCli(['run', runId, '--watch', '--data', data]);
  expect(watched.code).toBe(3);
  expect(watched.stdout).toContain('Cancelled after');
});
