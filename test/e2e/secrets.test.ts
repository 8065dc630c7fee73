import { createHash } from 'node:crypto';

import { expect, it } from 'vitest';
import { withStack } from '../helpers/stack.ts';
import { findSecrets } from '../scenarios/secretScan.ts';

const key = (name: string) => createHash('sha256').update(name).digest('base64');

it('no key, signature or connection string is kept where it has no business', async () => {
  await withStack({}, async (stack) => {
    const secrets = ['good', 'taken', 'quoted', 'again', 'mistyped', 'halved', 'tag'].map(key);
    const auth = (name: string) => ({ type: 'sas', symmetricKey: { primaryKey: key(name), secondaryKey: key(name) } });
    const lines = [
      { id: 'good', status: 'enabled', importMode: 'create', authentication: auth('good') },
      { id: 'taken', status: 'enabled', importMode: 'create', authentication: auth('taken') },
      { id: 'quoted', status: 'enabled', importMode: 'create', authentication: auth('quoted') },
      { id: 'again', status: 'enabled', importMode: 'create', authentication: auth('again') },
      { id: 'mistyped', importMode: 'create', authentication: { ...auth('mistyped'), type: 'SELF_SIGNED' } },
      { id: 'halved', importMode: 'create', authentication: { symmetricKey: { primaryKey: key('halved') } } },
      { id: 'bad id', importMode: 'create', tags: { secret: key('tag') } },
    ].map((line) => JSON.stringify(line));
    await stack.rest('PUT', '/devices/taken', { deviceId: 'taken', status: 'enabled' });

    // The hub quotes the whole line, keys included, as hubs do with lines they cannot read.
    const fault = (spec: object) =>
      fetch(`${stack.hubAdminUrl}/faults`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(spec),
      });
    const quote = `Invalid device format in line: ${lines[2]}. Error converting value. Path 'authentication.type', line 1, position 249.`;
    expect(
      (await fault({ operation: 'importLine', ids: ['quoted'], status: 400, code: 400012, message: quote })).status,
    ).toBe(201);
    // One that is sent once more, by a call to which the hub answers with its words first.
    await fault({ operation: 'importLine', ids: ['again'], status: 500, code: 'ServerError', count: 1 });
    await fault({
      operation: 'bulkItem',
      ids: ['again'],
      code: 'ServerError',
      message: `Failed: ${lines[3]}`,
      count: 1,
    });
    await stack.drop(
      'keys/devices.txt',
      `${lines.join('\n')}\n{"id":"torn","authentication":{"symmetricKey":{"primaryKey":"${key('tag')}`,
    );
    const record = await stack.finalRecord('keys/devices.txt');
    expect(record.outcomes).toMatchObject({ succeeded: 2, failed: 2, rejected: 4 });
    expect(record.progress).toMatchObject({ part: 'devices', lines: 1, left: 0 });
    const rows = await stack.rows(record);
    expect(rows.find(({ deviceId }) => deviceId === 'quoted')).toMatchObject({
      outcome: 'failed',
      code: 'DeserializationError',
    });
    // The hub did quote it: else this test would prove nothing.
    expect(await stack.read(`hubkeeper-run-${record.runId}`, 'importErrors.log')).toContain(key('quoted'));

    // The hub refuses the job and names the container with its signature.
    const uri =
      'https://account.blob.core.windows.net/c?sv=2026-01-01&sr=c&sp=rwd&sig=c2lnbmF0dXJlLW9mLXRoZS1jb250YWluZXI%3D';
    await fault({
      operation: 'createJob',
      status: 400,
      code: 'BlobContainerValidationError',
      message: `Unauthorized to write to output blob container ${uri}`,
      count: 1,
    });
    await stack.drop('refused/devices.txt', '{"id":"later","importMode":"create"}');
    const refused = await stack.finalRecord('refused/devices.txt');
    expect(refused).toMatchObject({ state: 'failed', error: { code: 'BlobContainerValidationError' } });

    expect(await findSecrets(stack, [...secrets, 'c2lnbmF0dXJlLW9mLXRoZS1jb250YWluZXI'])).toEqual([]);
  });
});
