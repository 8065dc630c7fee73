import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

import { afterAll, describe, expect, it } from 'vitest';

import { NOW, shareStack, type TestStack } from '../helpers/stack.ts';

const shared = shareStack({});
afterAll(() => shared.stop());

const samples = new URL('../../samples/', import.meta.url);
const sample = (name: string) => readFileSync(new URL(name, samples), 'utf8');

interface Line {
  readonly id: string;
  readonly moduleId?: string;
  readonly status?: string;
  readonly importMode?: string;
  readonly authentication?: {
    readonly type?: string;
    readonly symmetricKey?: { readonly primaryKey: string | null; readonly secondaryKey: string | null } | null;
    readonly x509Thumbprint?: { readonly primaryThumbprint: string | null } | null;
  } | null;
  readonly capabilities?: { readonly iotEdge: boolean };
  readonly tags?: Record<string, unknown>;
  readonly properties?: { readonly desired?: Record<string, unknown> };
}

function linesOf(text: string): Line[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Line);
}

/** Reads a device or module back over plain REST and compares it with its line. */
async function expectInHub(stack: TestStack, line: Line): Promise<void> {
  const where = `${encodeURIComponent(line.id)}${line.moduleId === undefined ? '' : `/modules/${line.moduleId}`}`;
  const identity = await stack.rest('GET', `/devices/${where}`);
  expect(identity.status, `${line.id} ${line.moduleId ?? ''}`).toBe(200);
  const { authentication } = line;
  expect(identity.body).toMatchObject({
    deviceId: line.id,
    ...(line.moduleId === undefined ? { status: line.status ?? 'enabled' } : { moduleId: line.moduleId }),
    authentication: {
      type: authentication?.type ?? 'sas',
      ...(authentication?.symmetricKey?.primaryKey ? { symmetricKey: authentication.symmetricKey } : {}),
      ...(authentication?.x509Thumbprint?.primaryThumbprint ? { x509Thumbprint: authentication.x509Thumbprint } : {}),
    },
    ...(line.capabilities === undefined ? {} : { capabilities: line.capabilities }),
  });
  const twin = await stack.rest('GET', `/twins/${where}`);
  expect(twin.body).toMatchObject({
    tags: line.tags ?? {},
    properties: { desired: line.properties?.desired ?? {} },
  });
}

describe('a dropped devices.txt', () => {
  it('becomes devices in the hub, each as its line has it, and a report that says so', async () => {
    await shared.use(async (stack) => {
      const text = sample('devices.txt');
      await stack.drop('first/devices.txt', text);
      const record = await stack.finalRecord('first/devices.txt');
      const lines = linesOf(text);

      expect(record).toMatchObject({ state: 'completed', hub: 'default', batch: 'first' });
      expect(record.outcomes).toMatchObject({ succeeded: lines.length, failed: 0, rejected: 0, unconfirmed: 0 });
      for (const line of lines) await expectInHub(stack, line);
      expect((await stack.rows(record)).map(({ outcome }) => outcome)).toEqual(lines.map(() => 'succeeded'));
      expect((await stack.hubState()).jobs.importsCreated).toBe(1);

      // The same bytes, dropped again: another ETag, another run; what is there already is overwritten with the same.
      await stack.drop('repeat/devices.txt', text);
      expect(await stack.finalRecord('repeat/devices.txt')).toMatchObject({ state: 'completed' });

      // As creates, every line meets a device that exists.
      await stack.drop('again/devices.txt.gz', gzipSync(text), { ...NOW, importmode: 'create' });
      const again = await stack.finalRecord('again/devices.txt.gz');
      expect(again.state).toBe('completedWithFailures');
      expect(again.outcomes).toMatchObject({
        failed: lines.length,
      });
      const failed = (await stack.rows(again)).filter(({ outcome }) => outcome === 'failed');
      for (const row of failed) expect(row).toMatchObject({ code: expect.stringMatching(/AlreadyExists/) });
      const redrop = await stack.read('provision-results', again.report?.failedDevices ?? '');
      // Modules stand last there, as in what the hub was given.
      expect(
        linesOf(redrop)
          .map(({ id }) => id)
          .sort(),
      ).toEqual(failed.map(({ deviceId }) => deviceId).sort());
    });
  });

  it('with mistakes imports its good lines and names the fate of every other one', async () => {
    await shared.use(async (stack) => {
      const text = sample('devices-with-errors.txt');
      await stack.drop('devices.txt', text);
      const record = await stack.finalRecord('devices.txt');
      expect(record).toMatchObject({ state: 'completedWithFailures', batch: '_' });

      const rows = await stack.rows(record);
      const numbers = text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [index + 1]));
      expect(rows.map(({ line }) => Number(line)).sort((a, b) => a - b)).toEqual(numbers);
      for (const row of rows) {
        if (row.outcome === 'succeeded' || row.outcome === 'succeededWithWarning') {
          expect((await stack.rest('GET', `/devices/${encodeURIComponent(row.deviceId)}`)).status).toBe(200);
        } else {
          expect(row.code, `line ${row.line}`).not.toBe('');
          expect(row.reason, `line ${row.line}`).not.toBe('');
        }
      }
      expect(record.outcomes?.rejected).toBeGreaterThan(5);
      const rejected = await stack.read('provision-results', record.report?.rejectedLines ?? '');
      expect(rejected.trimEnd().split('\n')).toHaveLength(record.outcomes?.rejected ?? -1);
    });
  });
});
