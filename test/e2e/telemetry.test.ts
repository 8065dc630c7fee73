import { createHash } from 'node:crypto';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { METRICS } from '../../src/lib/telemetry/metrics.ts';
import { type CollectedSpan, type OtlpCollector, startOtlpCollector } from '../helpers/otlpCollector.ts';
import { withStack } from '../helpers/stack.ts';

let collector: OtlpCollector;
beforeAll(async () => {
  collector = await startOtlpCollector();
});
afterAll(() => collector.stop());

const key = (name: string) => createHash('sha256').update(name).digest('base64');

it('a drop is one trace to its report, measured by the names that are agreed, and no secret is told', async () => {
  const settings = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '300',
    OTEL_METRIC_EXPORT_INTERVAL: '500',
    OTEL_BLRP_SCHEDULE_DELAY: '300',
    // Long ago, and none was ever made.
    BACKUP_SCHEDULE: '0 0 2 * * *',
    SWEEP_SCHEDULE: '*/2 * * * * *',
  };
  await withStack({ settings, unkind: false }, async (stack) => {
    const fault = async (spec: object) => {
      const headers = { 'content-type': 'application/json' };
      const { status } = await fetch(`${stack.hubAdminUrl}/faults`, {
        method: 'POST',
        headers,
        body: JSON.stringify(spec),
      });
      expect(status).toBe(201);
    };
    const line = (id: string) =>
      JSON.stringify({
        id,
        status: 'enabled',
        importMode: 'create',
        authentication: { type: 'sas', symmetricKey: { primaryKey: key(id), secondaryKey: key(`${id}2`) } },
      });
    // One line is quoted by the hub with its keys, one is sent once more, and that call is throttled first.
    await fault({
      operation: 'importLine',
      ids: ['quoted-device'],
      status: 400,
      code: 400012,
      message: line('quoted-device'),
    });
    await fault({ operation: 'importLine', ids: ['again-device'], status: 500, code: 'ServerError', count: 1 });
    await fault({ operation: 'bulkRegistry', status: 429, code: 'ThrottlingException', count: 1 });
    await stack.drop('traced/devices.txt', ['good-device', 'quoted-device', 'again-device'].map(line).join('\n'));
    const record = await stack.finalRecord('traced/devices.txt');
    expect(record).toMatchObject({ state: 'completedWithFailures', outcomes: { succeeded: 2, failed: 1 } });

    const traceId = record.traceparent?.split('-')[1];
    const ofRun = () => collector.spans().filter((span) => span.traceId === traceId);
    const whole = await stack.until('the span of the run', async () =>
      ofRun().find(({ name }) => name === 'run provision'),
    );
    expect(whole.attributes).toEqual({
      'hubkeeper.run': record.runId,
      'hubkeeper.kind': 'provision',
      'hubkeeper.hub': 'default',
      'hubkeeper.outcome': 'completedWithFailures',
    });
    // What is under way when the run ends is told moments later.
    await stack.until('the last step', async () => ofRun().some(({ name }) => name === 'step settleRun'));
    const spans = ofRun();
    const drop = spans.find(({ spanId }) => spanId === record.traceparent?.split('-')[2]);
    expect(drop).toMatchObject({ name: 'drop', attributes: { 'hubkeeper.run': record.runId } });
    const names = new Set(spans.map(({ name }) => name));
    for (const name of ['readOptions', 'checkFile', 'startJob', 'watchJob', 'followUp', 'workChunk', 'settleRun']) {
      expect([...names].map((one) => one.split(' ')[1])).toContain(name);
    }
    for (const name of ['POST /jobs/create', 'GET /jobs/{id}', 'POST /devices']) expect(names).toContain(`hub ${name}`);
    expect(spans.find(({ name }) => name === 'hub POST /jobs/create')?.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.response.status_code': 200,
      'url.template': '/jobs/create',
      'hubkeeper.hub': 'default',
    });
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    const parentOf = ({ parentSpanId = '' }: CollectedSpan) => byId.get(parentSpanId)?.name ?? '';
    for (const span of spans) {
      if (span.name.startsWith('activity ') || span.name.startsWith('run ')) expect(parentOf(span)).toBe('drop');
      if (span.name.startsWith('hub ')) expect(parentOf(span)).toMatch(/^(activity|step) /);
      if (span.name.startsWith('step ')) expect(parentOf(span)).toMatch(/^activity /);
    }

    const has = (metric: string, attributes: object) =>
      stack.until(metric, async () =>
        collector
          .points()
          .find(
            (point) =>
              point.metric === metric &&
              Object.entries(attributes).every(([name, value]) => point.attributes[name] === value),
          ),
      );
    const run = { hub: 'default', kind: 'provision' };
    expect((await has('hubkeeper.runs', { ...run, outcome: 'completedWithFailures' })).value).toBe(1);
    expect((await has('hubkeeper.lines', { hub: 'default', outcome: 'succeeded' })).value).toBe(2);
    expect((await has('hubkeeper.lines', { hub: 'default', outcome: 'failed' })).value).toBe(1);
    expect((await has('hubkeeper.job.wait', run)).unit).toBe('s');
    expect((await has('hubkeeper.retries', { hub: 'default', reason: 'transient' })).value).toBeGreaterThanOrEqual(1);
    expect((await has('hubkeeper.throttles', { hub: 'default' })).value).toBeGreaterThanOrEqual(1);
    expect((await has('hubkeeper.backup.age', { hub: 'default' })).value).toBeGreaterThanOrEqual(0);
    for (const { metric, unit, attributes } of collector.points()) {
      const known = METRICS[metric as keyof typeof METRICS];
      expect([metric, unit, Object.keys(attributes).toSorted()]).toEqual([metric, known.unit, known.attributes]);
    }

    // The hub did quote a key: else this would prove nothing.
    expect(await stack.read(`hubkeeper-run-${record.runId}`, 'importErrors.log')).toContain(key('quoted-device'));
    expect([...collector.paths()].toSorted()).toEqual(['/v1/logs', '/v1/metrics', '/v1/traces']);
    const text = collector.text();
    for (const id of ['good-device', 'quoted-device', 'again-device']) {
      expect(text).not.toContain(key(id));
      expect(text).not.toContain(key(`${id}2`));
    }
    expect(text).not.toMatch(/[?&]sig=|SharedAccessSignature|SharedAccessKey=|AccountKey=|api-version=/);
    expect(JSON.stringify(collector.spans())).not.toMatch(/-device/);
  });
});
