/** The command against real storage; what the app would write into it is written by the tests. */

import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { azuriteConnectionString, startAzurite } from '../../local/stack/azurite.ts';
import type { ProvisionRun } from '../../src/lib/provisioning/run/provisionRun.ts';
import { runIdFor } from '../../src/lib/runs/runId.ts';
import { onTerminal } from './onTerminal.ts';
import { noOutcomes, runRecord } from './records.ts';
import { type RunningCli, runCli, startCli } from './runCli.ts';

let folder: string;
let azurite: Awaited<ReturnType<typeof startAzurite>>;
let storage: BlobServiceClient;
let environment: Readonly<Record<string, string>>;
let devices: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cli-'));
  azurite = await startAzurite({
    location: join(folder, 'azurite'),
    ports: { blob: 0, queue: 0, table: 0 },
    logFile: join(folder, 'azurite.log'),
    env: process.env,
    readyTimeoutMs: 60_000,
  });
  const connectionString = azuriteConnectionString(azurite.ready);
  environment = { HUBKEEPER_STORAGE: connectionString };
  storage = BlobServiceClient.fromConnectionString(connectionString);
  for (const name of ['provision', 'provision-results', 'hubkeeper-runs']) await storage.createContainer(name);
  devices = join(folder, 'my-devices.txt');
  await writeFile(devices, '{"id":"a"}\n{"id":"b"}\n');
});

afterAll(async () => {
  await azurite.stop(20_000);
  await rm(folder, { recursive: true });
});

async function put(container: string, name: string, content: string): Promise<void> {
  await storage.getContainerClient(container).getBlockBlobClient(name).upload(content, Buffer.byteLength(content));
}

async function putRecord(record: ProvisionRun): Promise<void> {
  const metadata = { state: record.state, created: record.createdAt };
  const content = JSON.stringify(record);
  const blob = storage.getContainerClient('hubkeeper-runs').getBlockBlobClient(`${record.runId}.json`);
  await blob.upload(content, Buffer.byteLength(content), { metadata });
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  await vi.waitFor(async () => expect(await condition()).toBe(true), { timeout: 20_000, interval: 50 });
}

/** Plays the app: waits for the drop, answers with records, and gives back what was dropped. */
async function answer(cli: RunningCli, blobName: string, ...records: readonly Partial<ProvisionRun>[]) {
  const blob = storage.getContainerClient('provision').getBlockBlobClient(blobName);
  await until(() => blob.exists());
  const { etag = '', metadata = {} } = await blob.getProperties();
  const drop = { ...runRecord().drop, blobName, etag };
  const runId = runIdFor(drop);
  await until(async () => cli.stderr().includes(`as provision/${blobName}: run ${runId}`));
  for (const record of records) await putRecord(runRecord({ runId, drop, ...record }));
  return { runId, metadata, content: await blob.downloadToBuffer() };
}

test('run says since when nothing has moved, once or while it watches, and why that may be', async () => {
  const updatedAt = new Date(Date.now() - 400_000).toISOString();
  const runId = 'feed'.repeat(5);
  await putRecord(runRecord({ runId, updatedAt }));
  const [text, json] = await Promise.all([
    runCli(['run', runId], environment),
    runCli(['run', runId, '--json'], environment),
  ]);
  expect(text.code).toBe(0);
  expect(text.stdout).toMatch(/Nothing has moved for 6 min \d+ s\. The app may be down/);
  expect(JSON.parse(json.stdout)).toMatchObject({
    run: { runId },
    still: { since: updatedAt, seconds: expect.any(Number), hint: expect.stringContaining('The app may be down') },
  });

  const watching = startCli(['run', runId, '--watch', '--json'], environment);
  await until(async () => watching.stderr().includes('Nothing has moved for 6 min'));
  await putRecord(runRecord({ runId, state: 'completed', finishedAt: new Date().toISOString() }));
  const { stdout, stderr } = await watching.result;
  expect(JSON.parse(stdout)).not.toHaveProperty('still');
  expect(stderr.match(/Nothing has moved/g)).toHaveLength(1);
});

describe.concurrent('provision', () => {
  test('drops the file with its options in one request, watches the run, and prints one JSON object', async () => {
    const args = [
      '--batch',
      'b1',
      '--hub',
      'Plant1',
      '--import-mode',
      'UPDATE',
      '--max-rejects',
      '3',
      '--dry-run',
      '--json',
    ];
    const cli = startCli(['provision', devices, ...args], environment);
    const dropped = await answer(
      cli,
      'plant1/b1/devices.txt',
      {},
      { phase: 'report' },
      {
        hub: 'plant1',
        state: 'completed',
        finishedAt: '2026-11-20T10:00:09.000Z',
        outcomes: { ...noOutcomes, succeeded: 2 },
      },
    );
    const { code, stdout } = await cli.result;
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject({ run: { runId: dropped.runId, state: 'completed' }, report: null });
    expect(dropped.content.toString()).toBe('{"id":"a"}\n{"id":"b"}\n');
    expect(dropped.metadata).toEqual({
      hubkeeper: expect.stringMatching(/^cli\/\d+\.\d+\.\d+\/[0-9a-f-]{36}$/),
      hub: 'plant1',
      importmode: 'update',
      maxrejects: '3',
      dryrun: 'true',
    });
  });

  test.each([
    ['devices.csv', 'text/csv; charset=utf-8'],
    ['devices.csv.gz', 'application/gzip'],
  ])('drops a CSV file as %s', async (name, contentType) => {
    const path = join(folder, `Fleet-${name.replace('csv', 'CSV')}`);
    await writeFile(path, name.endsWith('.gz') ? gzipSync('id\na\n') : 'id\na\n');
    const { code } = await runCli(['provision', path, '--batch', 'rows', '--no-wait'], environment);
    expect(code).toBe(0);
    const blob = storage.getContainerClient('provision').getBlockBlobClient(`rows/${name}`);
    expect((await blob.getProperties()).contentType).toBe(contentType);
  });

  test('shows the outcome with the lines to look at, downloads the report, and exits with 1 when devices failed', async () => {
    const target = join(folder, 'report');
    const cli = startCli(['provision', devices, '--batch', 'b2', '--report', target], environment);
    await put('provision-results', 'r/report.csv', 'line,deviceId\n');
    await put('provision-results', 'r/failed-devices.txt', '{"id":"b"}\n');
    const reason = { line: 2, deviceId: 'b', outcome: 'failed', code: 'X', count: 1, reason: 'It is there already.' };
    await put('provision-results', 'r/report.json', JSON.stringify({ reasons: [reason] }));
    await answer(cli, 'b2/devices.txt', {
      state: 'completedWithFailures',
      finishedAt: '2026-11-20T10:00:09.000Z',
      outcomes: { ...noOutcomes, succeeded: 1, failed: 1 },
      report: {
        container: 'provision-results',
        json: 'r/report.json',
        csv: 'r/report.csv',
        failedDevices: 'r/failed-devices.txt',
      },
    });
    const { code, stdout, stderr } = await cli.result;
    expect(code).toBe(1);
    expect(stdout).toContain('Completed with failures after 8 s');
    expect(stdout).toContain('  failed: X, line 2 b\n    It is there already.\n');
    expect(stderr).toContain('Dropped');
    expect(await readFile(join(target, 'failed-devices.txt'), 'utf8')).toBe('{"id":"b"}\n');
    expect((await stat(join(target, 'failed-devices.txt'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(target, 'report.csv'), 'utf8')).toBe('line,deviceId\n');
  });

  test.each([
    ['refused', 2, 'The file is empty.'],
    ['failed', 3, 'The hub cannot be reached.'],
  ] as const)('exits with the code of a run that is %s, and says why', async (state, expected, message) => {
    const cli = startCli(['provision', devices, '--batch', state], environment);
    await answer(cli, `${state}/devices.txt`, {
      state,
      finishedAt: '2026-11-20T10:00:09.000Z',
      error: { code: 'x', message, action: 'Do this.' },
    });
    const { code, stdout } = await cli.result;
    expect(code).toBe(expected);
    expect(stdout).toContain(`  ${message}\n  Do this.\n`);
  });

  test('tells gzip by its first bytes, and with --no-wait returns at once; nothing but the marker means default options', async () => {
    const path = join(folder, 'packed.txt');
    await writeFile(path, gzipSync('{"id":"a"}\n'));
    const cli = startCli(['provision', path, '--batch', 'b3', '--no-wait', '--json'], environment);
    const { runId, metadata } = await answer(cli, 'b3/devices.txt.gz');
    const { code, stdout } = await cli.result;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ runId, drop: 'provision/b3/devices.txt.gz' });
    expect(Object.keys(metadata)).toEqual(['hubkeeper']);
  });

  test('uploads configurations before the devices file, and never over others', async () => {
    const path = join(folder, 'my-configurations.txt');
    await writeFile(path, '{"id":"c","content":{"deviceContent":{"properties.desired.a":1}}}\n');
    const args = ['provision', devices, '--batch', 'with', '--configurations', path, '--no-wait'];
    expect(await runCli(args, environment)).toMatchObject({ code: 0 });
    const box = storage.getContainerClient('provision');
    const [first, second] = await Promise.all(
      ['with/configurations.txt', 'with/devices.txt'].map((name) => box.getBlobClient(name).getProperties()),
    );
    expect(first?.lastModified?.getTime()).toBeLessThanOrEqual(second?.lastModified?.getTime() ?? 0);
    expect((await box.getBlobClient('with/configurations.txt').downloadToBuffer()).toString()).toContain('"id":"c"');
    const again = await runCli(args, environment);
    expect(again).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('provision/with/configurations.txt already'),
    });
    await writeFile(path, '[]');
    const refused = await runCli(args.toSpliced(3, 1, 'other'), environment);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('JSON array') });
    expect(await box.getBlobClient('other/devices.txt').exists()).toBe(false);
  });

  test('a report that cannot be written where it should go stops the drop', async () => {
    const args = ['provision', devices, '--batch', 'unwritable', '--report', devices];
    const { code, stderr } = await runCli(args, environment);
    expect([code, stderr]).toEqual([
      2,
      `hubkeeper: The report cannot go to ${devices}: a file is in its way.\nGive a folder that can be written with --report.\n`,
    ]);
    const box = storage.getContainerClient('provision');
    expect(await box.getBlobClient('unwritable/devices.txt').exists()).toBe(false);
  });

  test('never drops over a file that is there', async () => {
    await put('provision', 'b4/devices.txt', 'old');
    const { code, stderr } = await runCli(['provision', devices, '--batch', 'b4'], environment);
    expect(code).toBe(2);
    expect(stderr).toBe(
      'hubkeeper: The drop box holds provision/b4/devices.txt already: nothing was dropped.\nGive another name with --batch, or leave it out.\n',
    );
  });

  test('after Ctrl-C the run goes on, and the command says how to look at it', async () => {
    const cli = startCli(['provision', devices, '--batch', 'b5'], environment);
    const { runId } = await answer(cli, 'b5/devices.txt', {});
    cli.process.kill('SIGINT');
    const { code, stderr } = await cli.result;
    expect(code).toBe(130);
    const id = runId.slice(0, 8);
    expect(stderr).toContain(
      `The run goes on. Look at it, or stop it, with:\n  npx hubkeeper run ${id} --watch\n  npx hubkeeper cancel ${id}\n`,
    );
  });

  test('a container that is missing, a wrong key, a wrong setting, and storage out of reach are told apart', async () => {
    const connection = environment['HUBKEEPER_STORAGE'] ?? '';
    const [missing, wrongKey, wrongSetting, away] = await Promise.all([
      runCli(['provision', devices], { ...environment, PROVISION_CONTAINER: 'nowhere' }),
      runCli(['provision', devices], { HUBKEEPER_STORAGE: connection.replace('Eby8', 'Aby8') }),
      runCli(['runs'], { HUBKEEPER_STORAGE: 'AccountKey=qv3rT5bX8kL2mN9pQ4sV7wY1zA6cE0fH3jK5lM8nP2r=' }),
      runCli(['runs'], {
        HUBKEEPER_STORAGE: connection.replace(/BlobEndpoint=[^;]*/, 'BlobEndpoint=http://127.0.0.1:1/x'),
      }),
    ]);
    expect([missing.code, wrongKey.code, wrongSetting.code, away.code]).toEqual([2, 2, 2, 3]);
    expect(missing.stderr).toContain('The storage account has no such container');
    expect(wrongKey.stderr).toMatch(
      /^hubkeeper: The storage account refused access \(\w+\)\.\nCheck HUBKEEPER_STORAGE/,
    );
    expect(wrongSetting.stderr).toMatch(
      /^hubkeeper: HUBKEEPER_STORAGE is not a connection string of a storage account\.\n/,
    );
    expect(wrongSetting.stderr).not.toContain('qv3r');
    expect(away.stderr).toContain('The storage account cannot be reached: ');
  });
});

describe('runs and run', () => {
  const ids = ['aa00000000000000000a', 'aa00000000000000000b', 'ab00000000000000000c'];

  beforeAll(async () => {
    await Promise.all(
      ids.map((runId, index) =>
        putRecord(runRecord({ runId, createdAt: `2099-11-20T10:00:0${index}.000Z`, batch: `n${index}` })),
      ),
    );
  });

  test('list the newest first, as a table or as JSON', async () => {
    const [table, json] = await Promise.all([
      runCli(['runs', '--limit', '2'], environment),
      runCli(['runs', '--limit', '2', '--json'], environment),
    ]);
    expect(table.stdout.split('\n').map((line) => line.split('  ')[0])).toEqual(['RUN', ids[2], ids[1], '']);
    expect(JSON.parse(json.stdout).map((record: ProvisionRun) => record.batch)).toEqual(['n2', 'n1']);
  });

  test('list those of a hub, and those in a state; as many as asked for, however far back', async () => {
    const at = '2025-11-20T10:00:00.000Z';
    const ofEast = { hub: 'east', createdAt: at } as const;
    await putRecord(runRecord({ runId: 'ba00000000000000000a', ...ofEast, state: 'failed', finishedAt: at }));
    await putRecord(runRecord({ runId: 'ba00000000000000000b', ...ofEast }));
    const listed = async (...flags: string[]) => {
      const { code, stdout } = await runCli(['runs', '--json', ...flags], environment);
      return [code, (JSON.parse(stdout) as ProvisionRun[]).map(({ runId }) => runId).toSorted()];
    };
    expect(await listed('--hub', 'East', '--limit', '5')).toEqual([
      0,
      ['ba00000000000000000a', 'ba00000000000000000b'],
    ]);
    expect(await listed('--hub', 'east', '--state', 'FAILED', '--limit', '1')).toEqual([0, ['ba00000000000000000a']]);
    expect(await listed('--hub', 'nowhere')).toEqual([0, []]);
    const none = await runCli(['runs', '--hub', 'east', '--state', 'stale'], environment);
    expect(none.stdout).toBe('No runs of the hub east in the state stale.\n');
  });

  test('tell what lies in the drop box under a name that makes no run, the latest first and not all of it', async () => {
    const container = 'a-drop-box-of-its-own';
    const box = { ...environment, PROVISION_CONTAINER: container };
    await storage.createContainer(container);
    for (const name of ['b1/devices.txt', 'options.json', 'b1/configurations.txt']) await put(container, name, 'x');
    expect((await runCli(['runs'], box)).stdout).not.toContain('drop box');

    for (let index = 0; index < 11; index += 1) await put(container, `old/device-${index}.txt`, 'x');
    // Times in storage are whole seconds.
    await setTimeout(1100);
    await put(container, 'Devices.txt', 'x');
    const { stdout } = await runCli(['runs'], box);
    const [head, first, why, ...others] = stdout.slice(stdout.indexOf('\n\n') + 2).split('\n');
    expect([head, first, why]).toEqual([
      '12 files in the drop box make no run:',
      expect.stringMatching(/^ {2}Devices\.txt {2}\(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\)$/),
      '    Names are in lower case: upload it as devices.txt.',
    ]);
    expect(others).toHaveLength(20);
    expect(others.slice(-2)).toEqual(['  … and 2 older ones', '']);
    const json = await runCli(['runs', '--json'], box);
    expect(Array.isArray(JSON.parse(json.stdout))).toBe(true);
    expect(json.stderr).toBe('');
    const none = await runCli(['runs'], { ...environment, PROVISION_CONTAINER: 'nowhere' });
    expect([none.code, none.stderr]).toEqual([0, '']);
  });

  test('find a run by the first characters of its id', async () => {
    const [one, many, none, wrong] = await Promise.all(
      ['ab000', 'aa000', 'ffffff', 'xyz'].map((id) => runCli(['run', id], environment)),
    );
    expect(one?.stdout).toContain(`run ${ids[2]}`);
    expect(one?.code).toBe(0);
    expect([many?.code, none?.code, wrong?.code]).toEqual([2, 2, 2]);
    expect(many?.stderr).toContain(`2 runs begin with aa000: ${ids[0]}, ${ids[1]}.`);
    expect(none?.stderr).toContain('There is no run ffffff.');
    expect(wrong?.stderr).toContain('"xyz" is not the id of a run.');
  });

  test('with --watch, wait for the end of the run', async () => {
    const runId = 'ad00000000000000000e';
    await putRecord(runRecord({ runId }));
    const cli = startCli(['run', 'ad000', '--watch'], environment);
    await until(async () => cli.stderr().includes('checking the file'));
    await putRecord(runRecord({ runId, state: 'cancelled', finishedAt: '2026-11-20T10:00:09.000Z' }));
    const { code, stdout } = await cli.result;
    expect(code).toBe(3);
    expect(stdout).toContain('Cancelled after 8 s');
  });
});

describe('a run whose record is damaged', () => {
  const damaged = 'dd000000000000000000';

  test('is listed beside the others, and shown with what to do', async () => {
    await put('hubkeeper-runs', `${damaged}.json`, '{half');
    try {
      const [list, json, shown] = await Promise.all([
        runCli(['runs'], environment),
        runCli(['runs', '--json'], environment),
        runCli(['run', 'dd000'], environment),
      ]);
      expect(list.code).toBe(0);
      expect(list.stdout).toContain(
        `${damaged}  damaged: The record of run ${damaged} cannot be read: it is not JSON.`,
      );
      expect(JSON.parse(json.stdout)).toContainEqual({
        runId: damaged,
        damaged: expect.objectContaining({ code: 'recordDamaged' }),
      });
      expect(shown.code).toBe(2);
      expect(shown.stderr).toContain('cannot be read: it is not JSON');
      expect(shown.stderr).toContain(`hubkeeper-runs/${damaged}.json`);
    } finally {
      await storage.getContainerClient('hubkeeper-runs').deleteBlob(`${damaged}.json`);
    }
  });
});

describe('cancel, suspend and resume', () => {
  const runId = 'ee00000000000000000d';
  const requests: string[] = [];
  let status = 202;
  let body = '{}';
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url} ${request.headers['x-functions-key']}`);
    response.writeHead(status).end(body);
  });

  beforeAll(async () => {
    await putRecord(runRecord({ runId }));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
  });

  const ask = (verb: 'cancel' | 'suspend' | 'resume', id: string) =>
    runCli([verb, id], {
      ...environment,
      HUBKEEPER_API: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`,
      HUBKEEPER_API_KEY: 'k',
    });

  test('asks the app with its key', async () => {
    const { code, stdout } = await ask('cancel', 'ee000');
    expect(code).toBe(0);
    expect(requests).toEqual([`POST /api/runs/${runId}/cancel k`]);
    expect(stdout).toContain(`Cancelling run ${runId}.`);
  });

  test('say what a suspend stops and what it does not', async () => {
    requests.length = 0;
    const held = await ask('suspend', 'ee000');
    expect([held.code, held.stdout]).toEqual([
      0,
      expect.stringContaining(' is suspended. Let it go on with:\n  npx hubkeeper resume ee000000\n'),
    ]);
    expect(held.stdout).toContain('A step that is under way still ends.');
    const at = '2026-11-20T10:00:09.000Z';
    const job = { jobId: 'j', status: 'running', progress: 5, createdAt: at, deadline: at };
    await putRecord(runRecord({ runId, phase: 'job', jobs: { import: job }, suspendedAt: at }));
    const again = (await ask('suspend', 'ee000')).stdout;
    expect(again).toContain(`Run ${runId} is suspended already. Let it go on with:\n`);
    expect(again).toContain('goes on: only a cancel can stop that');
    expect((await runCli(['run', 'ee000'], environment)).stdout).toContain(
      '  go on     npx hubkeeper resume ee000000\n',
    );
    expect((await runCli(['runs'], environment)).stdout).toContain('suspended, importing');
    expect((await ask('resume', 'ee000')).stdout).toContain(`Run ${runId} goes on.`);
    expect(requests).toEqual(['suspend', 'suspend', 'resume'].map((verb) => `POST /api/runs/${runId}/${verb} k`));
  });

  test('say it in lines that a terminal of 80 columns does not tear, with commands of their own', async () => {
    await putRecord(runRecord({ runId }));
    const { port } = server.address() as AddressInfo;
    vi.stubEnv('HUBKEEPER_STORAGE', environment['HUBKEEPER_STORAGE'] ?? '');
    vi.stubEnv('HUBKEEPER_API', `http://127.0.0.1:${port}/api`);
    try {
      const said = [];
      for (const args of [
        ['suspend', 'ee000'],
        ['resume', 'ee000'],
        ['cancel', 'ee000'],
        ['run', 'zzz'],
      ])
        said.push(await onTerminal(80, args));
      expect(said.map(({ stdout, stderr }) => `${stdout}${stderr}`)).toEqual([
        `Run ${runId} is suspended. Let it go on with:\n  npx hubkeeper resume ee000000\n` +
          'A step that is under way still ends. Other runs of the hub may pass it\nmeanwhile.\n',
        `Run ${runId} goes on. Watch it with:\n  npx hubkeeper run ee000000 --watch\n`,
        `Cancelling run ${runId}. Watch it with:\n  npx hubkeeper run ee000000 --watch\n`,
        'hubkeeper: "zzz" is not the id of a run.\n' +
          'Ids are 20 hexadecimal characters, or the first few of them: see\nnpx hubkeeper runs.\n',
      ]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('pass on why a run cannot be suspended or resumed', async () => {
    status = 409;
    for (const [verb, code, message] of [
      ['suspend', 'runNotStarted', 'has not begun yet'],
      ['resume', 'runNotSuspended', 'is not suspended'],
      ['suspend', 'runEnded', 'is over already: the suspend came too late.'],
    ] as const) {
      body = JSON.stringify({ error: { code } });
      const { code: exit, stderr } = await ask(verb, 'ee000');
      expect([exit, stderr]).toEqual([2, expect.stringContaining(message)]);
    }
    body = '{}';
  });

  test('passes on what the app says', async () => {
    for (const [answerStatus, exit, message] of [
      [401, 2, 'refused the key (401)'],
      [409, 2, `Run ${runId} is over already: the cancel came too late.`],
      [500, 3, 'The app answered 500'],
    ] as const) {
      status = answerStatus;
      const { code, stderr } = await ask('cancel', 'ee000');
      expect([code, stderr]).toEqual([exit, expect.stringContaining(message)]);
    }
  });

  test('a cancel of a run that is over came too late, and says so', async () => {
    const over = 'ef00000000000000000d';
    await putRecord(runRecord({ runId: over, state: 'completed', finishedAt: '2026-11-20T10:00:09.000Z' }));
    const { code, stderr } = await ask('cancel', 'ef000');
    expect([code, stderr]).toEqual([
      2,
      `hubkeeper: Run ${over} is over already (completed): the cancel came too late.\nSee npx hubkeeper run ef000000.\n`,
    ]);
  });

  test('needs to know where the app is', async () => {
    const { code, stderr } = await runCli(['cancel', 'ee000'], environment);
    expect([code, stderr]).toEqual([2, expect.stringContaining('HUBKEEPER_API is not set')]);
  });
});
