import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { type HubClient, withHub } from '../hubClient.ts';
import { createContainer, createJob, endOfJob, importLines, sasUri, upload } from './jobFixture.ts';

let azurite: Azurite;

beforeAll(async () => {
  azurite = await startAzurite();
});

afterAll(async () => {
  await azurite.stop();
});

const quick = { jobEnqueueMs: 0 };
const device = (index: number) => ({ id: `d${index}`, importMode: 'create', status: 'enabled' });
const devices = (count: number) => Array.from({ length: count }, (_, index) => device(index));

async function startImport(client: HubClient, count: number) {
  const container = await createContainer(azurite.connectionString);
  await upload(
    container,
    'devices.txt',
    devices(count)
      .map((line) => JSON.stringify(line))
      .join('\n'),
  );
  const uri = await sasUri(container);
  const job = await createJob(client, { type: 'import', inputBlobContainerUri: uri, outputBlobContainerUri: uri });
  return { container, job };
}

describe('faults of import lines', () => {
  it('come back as transient errors the first time only', async () => {
    await withHub(quick, async (client) => {
      const container = await createContainer(azurite.connectionString);
      await client.admin('POST', '/faults', [
        { operation: 'importLine', code: 429001, ids: ['d1', 'd2'], transient: 1 },
        { operation: 'importLine', code: 503001, idPattern: '^d4$', when: 'after', transient: 1 },
      ]);
      const errors = await importLines(client, container, devices(6));
      expect(errors.map(({ deviceId, errorCode }) => [deviceId, errorCode])).toEqual([
        ['d1', 429001],
        ['d2', 429001],
        ['d4', 503001],
      ]);
      expect((await client.admin('GET', '/state')).body.devices).toBe(4);
      const again = await importLines(client, container, [device(1), device(2), device(4)]);
      expect(again.map(({ deviceId, errorCode }) => [deviceId, errorCode])).toEqual([['d4', 409001]]);
    });
  });
});

describe('faults of jobs', () => {
  it('fail a job after some lines, with a reason and without a log', async () => {
    await withHub(quick, async (client) => {
      await client.admin('POST', '/faults', {
        operation: 'importJob',
        outcome: 'fail',
        afterLines: 5,
        message: 'broken',
        count: 1,
      });
      const { container, job } = await startImport(client, 20);
      expect(await endOfJob(client, job.body.jobId)).toMatchObject({ status: 'failed', failureReason: 'broken' });
      expect((await client.admin('GET', '/state')).body.devices).toBe(5);
      expect(await container.getBlobClient('importErrors.log').exists()).toBe(false);
    });
  });

  it('let a job hang until it is cancelled', async () => {
    await withHub(quick, async (client) => {
      await client.admin('POST', '/faults', { operation: 'importJob', outcome: 'hang', afterLines: 3 });
      const { job } = await startImport(client, 20);
      const { jobId } = job.body;
      await eventually(async () => {
        const { body } = await client.admin('GET', '/state');
        return body.devices === 3 ? true : undefined;
      }, 'three devices');
      expect((await client.call('GET', `/jobs/${jobId}`)).body.status).toBe('running');
      await client.call('DELETE', `/jobs/${jobId}`);
      expect((await endOfJob(client, jobId)).status).toBe('cancelled');
    });
  });

  it('leave the log away', async () => {
    await withHub(quick, async (client) => {
      await client.admin('POST', '/faults', { operation: 'importJob', outcome: 'noLog' });
      const { container, job } = await startImport(client, 3);
      expect((await endOfJob(client, job.body.jobId)).status).toBe('completed');
      expect(await container.getBlobClient('importErrors.log').exists()).toBe(false);
      expect((await client.admin('GET', '/state')).body.devices).toBe(3);
    });
  });

  it('lose the reply of a creation that went through', async () => {
    await withHub(quick, async (client) => {
      await client.admin('POST', '/faults', { operation: 'createJob', drop: true, when: 'after', count: 1 });
      await expect(startImport(client, 3)).rejects.toThrow();
      const { body } = await client.call('GET', '/jobs');
      expect(body).toHaveLength(1);
      await endOfJob(client, body[0].jobId);
    });
  });

  it('fail a job whose storage goes away, without quoting its signature', async () => {
    await withHub({ jobEnqueueMs: 200 }, async (client) => {
      const { container, job } = await startImport(client, 3);
      await container.deleteBlob('devices.txt');
      const record = await endOfJob(client, job.body.jobId);
      expect(record.status).toBe('failed');
      expect(record.failureReason).toMatch(/404/);
      expect(record.failureReason).not.toContain('sig=');
    });
  });
});

describe('the quota', () => {
  it('is exact for single devices, while an import near it fails every creation', async () => {
    await withHub({ ...quick, maxDevices: 50, quotaMargin: 10 }, async (client) => {
      const container = await createContainer(azurite.connectionString);
      const errors = await importLines(client, container, devices(60));
      expect(errors.map(({ deviceId, errorCode }) => [deviceId, errorCode])).toEqual(
        Array.from({ length: 20 }, (_, index) => [`d${index + 40}`, 403002]),
      );
      expect(errors[0].errorStatus).toBe('Total number of devices on IotHub exceeded the allocated quota.');
      const statuses: number[] = [];
      for (let index = 40; index < 52; index += 1) {
        const { id } = device(index);
        statuses.push((await client.call('PUT', `/devices/${id}`, { body: { deviceId: id } })).status);
      }
      expect(statuses).toEqual([...Array.from({ length: 10 }, () => 200), 403, 403]);
      expect(await importLines(client, container, [{ id: 'd1', importMode: 'update', status: 'disabled' }])).toEqual(
        [],
      );
    });
  });
});
