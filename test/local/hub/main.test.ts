import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunningHub } from '../../../local/hub/index.ts';
import { type Azurite, startAzurite } from '../../helpers/azurite.ts';
import { collectOutput, endProcess } from '../../helpers/childOutput.ts';
import { eventually } from '../../helpers/eventually.ts';
import { eventState, withReader } from './eventReader.ts';
import { createClient } from './hubClient.ts';
import { createContainer, createJob, endOfJob, jsonLines, sasUri, upload } from './jobs/jobFixture.ts';

const main = fileURLToPath(new URL('../../../local/hub/main.ts', import.meta.url));

let azurite: Azurite;
let data: string;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  azurite = await startAzurite();
});

afterAll(async () => {
  await azurite.stop();
});

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'hub-'));
});

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  await rm(data, { recursive: true, force: true });
});

async function startProcess(...options: string[]) {
  const child = spawn(process.execPath, [main, '--json', '--data', data, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  ends.push(() => endProcess(child, 'SIGKILL'));
  const output = collectOutput(child, child.stdout);
  const line = await output.waitFor((text) => text.includes('\n'), 'the ready line of the hub');
  return {
    facts: JSON.parse(line) as RunningHub,
    end: (signal: NodeJS.Signals) => endProcess(child, signal),
    output: output.text,
  };
}

describe('the hub as a process', () => {
  it('prints one line of JSON, and stops cleanly on SIGTERM', async () => {
    const hub = await startProcess('--name', 'plant');
    expect(hub.facts).toMatchObject({
      name: 'plant',
      adminUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      connectionString: expect.stringMatching(
        /^HostName=127\.0\.0\.1:\d+;SharedAccessKeyName=iothubowner;SharedAccessKey=[^;]+;UseDevelopmentEmulator=true$/,
      ),
      eventsConnectionString: expect.stringMatching(
        /^Endpoint=sb:\/\/127\.0\.0\.1:\d+\/;SharedAccessKeyName=service;SharedAccessKey=[^;]+;EntityPath=iothub-ehub-plant;UseDevelopmentEmulator=true$/,
      ),
    });
    expect(Object.keys(hub.facts.connectionStrings)).toEqual([
      'iothubowner',
      'service',
      'device',
      'registryRead',
      'registryReadWrite',
    ]);
    expect(await hub.end('SIGTERM')).toBe(0);
    expect(hub.output().trim().split('\n')).toHaveLength(1);
  });

  it('comes back with its name, keys, ports and devices, and keeps its keys to its owner', async () => {
    const first = await startProcess('--name', 'plant');
    await createClient(first.facts).call('PUT', '/devices/d1', { body: { deviceId: 'd1' } });
    await first.end('SIGKILL');
    const second = await startProcess();
    expect(second.facts).toEqual(first.facts);
    expect((await createClient(second.facts).call('GET', '/devices/d1')).status).toBe(200);
    expect((await stat(join(data, 'hub.json'))).mode & 0o077).toBe(0);
  });

  it('goes on with an import at the first line that was not applied, when it is killed in the middle', async () => {
    const count = 3000;
    const container = await createContainer(azurite.connectionString);
    const lines = Array.from({ length: count }, (_, index) => ({
      id: `d${index}`,
      importMode: 'create',
      status: 'enabled',
    }));
    const text = lines.map((line) => JSON.stringify(line)).join('\n');
    await upload(container, 'devices.txt', `nonsense\n${text}\n${JSON.stringify(lines[0])}`);
    const uri = await sasUri(container);
    const first = await startProcess('--job-enqueue-ms', '0', '--job-rate', '1500');
    const { body: job } = await createJob(createClient(first.facts), {
      type: 'import',
      inputBlobContainerUri: uri,
      outputBlobContainerUri: uri,
    });
    let hub = first;
    for (const enough of [200, 1000]) {
      await eventually(async () => {
        const { body } = await createClient(hub.facts).admin('GET', '/state');
        return body.devices >= enough ? true : undefined;
      }, `${enough} devices`);
      await hub.end('SIGKILL');
      hub = await startProcess('--job-rate', '1500');
    }
    const client = createClient(hub.facts);
    const { body: before } = await client.admin('GET', '/state');
    expect(before.devices).toBeLessThan(count);
    expect((await endOfJob(client, job.jobId)).status).toBe('completed');
    const errors = await jsonLines(container, 'importErrors.log');
    expect(errors.map(({ deviceId, errorCode }) => [deviceId, errorCode])).toEqual([
      [undefined, 400012],
      ['d0', 409001],
    ]);
    const { body: state } = await client.admin('GET', '/state');
    expect(state).toMatchObject({ devices: count, jobs: { importsCreated: 1 } });
  });

  it('loses no event and makes none up, when it is killed in the middle', async () => {
    const options = ['--lifecycle-events', '--event-partitions', '2'];
    let hub = await startProcess(...options);
    let created = 0;
    for (let round = 0; round < 2; round += 1) {
      const client = createClient(hub.facts);
      const calls = (async () => {
        for (;;) {
          const deviceId = `d${created++}`;
          await client.call('PUT', `/devices/${deviceId}`, { body: { deviceId } });
        }
      })().catch(() => undefined);
      await eventually(() => (created >= 100 * (round + 1) ? true : undefined), 'some devices');
      await hub.end('SIGKILL');
      await calls;
      hub = await startProcess(...options);
    }
    const client = createClient(hub.facts);
    await client.call('PUT', '/devices/last', { body: { deviceId: 'last' } });
    const { body: devices } = await client.call('GET', '/devices');
    const events = await withReader(hub.facts, {}, ({ all }) => all());
    expect(events.map(({ partitionKey }) => partitionKey).sort()).toEqual(
      devices.map(({ deviceId }: { deviceId: string }) => deviceId).sort(),
    );
    const { partitions } = await eventState(hub.facts);
    expect(partitions.reduce((sum, { last }) => sum + last + 1, 0)).toBe(events.length);
  });

  it('makes its folder for its owner alone, and keeps its registry from others in one that is open to them', async () => {
    const mode = async (...path: string[]) => (await stat(join(...path))).mode & 0o777;
    const made = join(data, 'made', 'here');
    const first = await startProcess('--data', made);
    expect(await mode(made)).toBe(0o700);
    await first.end('SIGTERM');

    const open = join(data, 'open');
    await mkdir(open, { mode: 0o755 });
    const hub = await startProcess('--data', open);
    await createClient(hub.facts).call('PUT', '/devices/d1', { body: { deviceId: 'd1' } });
    for (const file of await readdir(open)) expect([file, await mode(open, file)]).toEqual([file, 0o600]);
    expect(await readdir(open)).toEqual(expect.arrayContaining(['hub.json', 'registry.sqlite', 'registry.sqlite-wal']));
  });

  it('has its folder to itself, and leaves it free when it ends, however it ends', async () => {
    const first = await startProcess();
    const second = spawn(process.execPath, [main, '--data', data], { stdio: ['ignore', 'ignore', 'pipe'] });
    ends.push(() => endProcess(second, 'SIGKILL'));
    const output = collectOutput(second, second.stderr);
    const [code] = await once(second, 'close');
    expect([code, output.text()]).toEqual([
      2,
      expect.stringMatching(/^A hub simulator is already running on .* \(process \d+\)\.\nUse that one, stop it/),
    ]);
    await first.end('SIGKILL');
    const third = await startProcess();
    expect(await third.end('SIGTERM')).toBe(0);
    expect(await readdir(data)).not.toContain('hub.lock');
  });

  it('says what is wrong with its arguments and exits with 2', async () => {
    const child = spawn(process.execPath, [main, '--tier', 'S9'], { stdio: ['ignore', 'ignore', 'pipe'] });
    const output = collectOutput(child, child.stderr);
    ends.push(() => endProcess(child, 'SIGKILL'));
    const [code] = await once(child, 'close');
    expect([code, output.text().trim()]).toEqual([2, 'tier must be one of none, S1, S2, S3, not "S9".']);
  });
});
