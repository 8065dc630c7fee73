import { afterAll, describe, expect, it } from 'vitest';

import type { ProvisionRun } from '../../src/lib/provisioning/run/provisionRun.ts';
import { readReport } from '../helpers/readReport.ts';
import { NOW, shareStack, type TestStack } from '../helpers/stack.ts';
import { findSecrets } from '../scenarios/secretScan.ts';

const shared = shareStack({});
afterAll(() => shared.stop());

const content = (value: unknown) => ({ deviceContent: { 'properties.desired.interval': value } });
/** Deployments name the password of a container registry in their content. */
const PASSWORD = 'Pa55-of-a-registry-4711';
const lines = (...values: readonly (object | string)[]) =>
  values.map((value) => `${typeof value === 'string' ? value : JSON.stringify(value)}\n`).join('');

async function configurationRows(stack: TestStack, record: ProvisionRun): Promise<Record<string, string>[]> {
  const csv = await stack.read('provision-results', record.report?.configurations ?? '');
  return readReport(csv);
}

/** What the hub has, in the order of their ids. */
async function held(stack: TestStack): Promise<Record<string, unknown>[]> {
  return (await stack.rest('GET', '/configurations')).body as Record<string, unknown>[];
}

async function fault(stack: TestStack, spec: object): Promise<void> {
  const reply = await fetch(`${stack.hubAdminUrl}/faults`, { method: 'POST', body: JSON.stringify(spec) });
  expect(reply.status).toBe(201);
}

async function putConfiguration(stack: TestStack, body: { readonly id: string }): Promise<void> {
  expect((await stack.rest('PUT', `/configurations/${body.id}`, body)).status).toBe(200);
}

describe('a configurations.txt beside the devices file', () => {
  it('goes into the same import job, and each of its lines ends in one outcome', async () => {
    await shared.use(async (stack) => {
      await putConfiguration(stack, { id: 'known', content: content(1), priority: 1 } as { id: string });
      await putConfiguration(stack, { id: 'other-content', content: content(1), priority: 1 } as { id: string });
      await fault(stack, { operation: 'importConfiguration', ids: ['busy'], code: 'ThrottlingException' });
      const text = lines(
        { id: 'new', content: content(30), targetCondition: "tags.site='faro'", priority: 5, labels: { team: 'a' } },
        // As a live export writes it, with the ETag of another hub.
        {
          Id: 'known',
          Content: { DeviceContent: { 'properties.desired.interval': 1 }, ModulesContent: {} },
          Priority: 7,
          ETag: 'OTk=',
          SystemMetrics: { Results: {} },
          Metrics: { Queries: { q: 'SELECT deviceId FROM devices' } },
        },
        { id: 'known', content: content(2) },
        { id: 'Upper', content: content(PASSWORD) },
        '{"id":"broken"',
        { id: 'bad-target', content: content(PASSWORD), targetCondition: "status = 'enabled'" },
        { id: 'busy', content: content(PASSWORD), priority: 2 },
        { id: 'other-content', content: content(2), priority: 9 },
        { id: 'stale', importMode: 'CreateOrUpdateIfMatchETag', etag: '"OTk="', content: content(1) },
      );
      await putConfiguration(stack, { id: 'stale', content: content(1), priority: 3 } as { id: string });
      await stack.drop('site/configurations.txt', text);
      await stack.drop('site/devices.txt', '{"id":"d1"}\n{"id":"d2"}\n');

      const record = await stack.finalRecord('site/devices.txt');
      expect(record).toMatchObject({ state: 'completedWithFailures', outcomes: { succeeded: 2, failed: 0 } });
      const rows = await configurationRows(stack, record);
      expect(rows.map(({ line, configurationId, outcome, code }) => [line, configurationId, outcome, code])).toEqual([
        ['1', 'new', 'succeeded', ''],
        ['2', 'known', 'succeeded', ''],
        ['3', 'known', 'rejected', 'duplicate'],
        ['4', '', 'rejected', 'configurationId'],
        ['5', '', 'rejected', 'badJson'],
        ['6', 'bad-target', 'failed', 'InvalidConfigurationTargetCondition'],
        ['7', 'busy', 'succeeded', ''],
        ['8', 'other-content', 'failed', 'contentImmutable'],
        ['9', 'stale', 'failed', 'PreconditionFailed'],
      ]);
      expect(record.configurations).toMatchObject({
        lines: 9,
        accepted: 6,
        rejected: 3,
        outcomes: { succeeded: 3, rejected: 3, failed: 3 },
      });

      expect(await held(stack)).toMatchObject([
        { id: 'busy', content: content(PASSWORD), priority: 2 },
        { id: 'known', content: content(1), priority: 7, metrics: { queries: { q: 'SELECT deviceId FROM devices' } } },
        { id: 'new', content: content(30), targetCondition: "tags.site='faro'", labels: { team: 'a' } },
        // Neither its target nor its priority was changed under the old content.
        { id: 'other-content', content: content(1), priority: 1 },
        { id: 'stale', content: content(1), priority: 3 },
      ]);
      expect((await stack.hubState()).jobs.importsCreated).toBe(1);

      const report = JSON.parse(await stack.read('provision-results', record.report?.json ?? ''));
      expect(report.configurations).toMatchObject({ counts: record.configurations });
      expect(report.configurations.lines.map(({ line }: { line: number }) => line)).toEqual([3, 4, 5, 6, 8, 9]);
      const { container, blobName } = report.configurations.before;
      const before = (await stack.read(container, blobName)).trimEnd().split('\n');
      expect(before.map((line) => JSON.parse(line))).toMatchObject([
        { id: 'known', priority: 1, content: content(1) },
        { id: 'stale', priority: 3 },
      ]);
      expect(await findSecrets(stack, [PASSWORD])).toEqual([]);
    });
  });

  it('is not needed, starts nothing by itself, and counts once the folder has been quiet', async () => {
    await shared.use(async (stack) => {
      await stack.drop('lone/configurations.txt', lines({ id: 'lone', content: content(1) }));
      // Without options in metadata the app waits: what comes after the devices file is still in time.
      await stack.drop('late/devices.txt', '{"id":"d1"}\n', {});
      await stack.drop('late/configurations.txt', lines({ id: 'late', content: content(1) }), {});
      const late = await stack.finalRecord('late/devices.txt');
      expect(late).toMatchObject({ state: 'completed', configurations: { lines: 1, outcomes: { succeeded: 1 } } });

      await stack.drop('dry/configurations.txt', lines({ id: 'dry', content: content(1) }, { id: 'bad' }));
      await stack.drop('dry/devices.txt', '{"id":"d2"}\n', { ...NOW, dryrun: 'true' });
      expect(await stack.finalRecord('dry/devices.txt')).toMatchObject({
        state: 'completedWithFailures',
        configurations: { outcomes: { skipped: 1, rejected: 1 } },
      });

      // No line to import: a job cannot carry them.
      await stack.drop('none/configurations.txt', lines({ id: 'none', content: content(1) }));
      await stack.drop('none/devices.txt', '{"id":"d2","moduleId":"$edgeAgent"}\n');
      const none = await stack.finalRecord('none/devices.txt');
      expect(none.state).toBe('completedWithFailures');
      expect(await configurationRows(stack, none)).toMatchObject([{ outcome: 'failed', code: 'noDeviceLines' }]);

      await stack.drop('array/configurations.txt', '[{"id":"a"}]');
      await stack.drop('array/devices.txt', '{"id":"d3"}\n');
      expect(await stack.finalRecord('array/devices.txt')).toMatchObject({
        state: 'refused',
        error: {
          code: 'configurationsUnreadable',
          message: expect.stringContaining('provision/array/configurations.txt'),
        },
      });

      expect((await held(stack)).map(({ id }) => id)).toEqual(['late']);
      expect(await stack.recordOf('lone/configurations.txt')).toBeUndefined();
      const runs = (await (await fetch(`${stack.apiUrl}/runs`)).json()) as { runs: unknown[] };
      expect(runs.runs).toHaveLength(4);
    });
  });
});
