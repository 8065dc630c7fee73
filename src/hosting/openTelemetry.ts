/**
 * Telemetry by OpenTelemetry, to Application Insights and to OTLP over HTTP. The only file that knows OpenTelemetry;
 * loaded when there is a place to send to.
 *
 * Nothing is patched and nothing is found out by itself: what is sent is what the domain tells, and the logs of the
 * Functions library. Every text passes the redaction once more.
 */

import * as functions from '@azure/functions';
import { AzureFunctionsInstrumentationESM } from '@azure/functions-opentelemetry-instrumentation';
import { DefaultAzureCredential } from '@azure/identity';
import {
  AzureMonitorLogExporter,
  AzureMonitorMetricExporter,
  AzureMonitorTraceExporter,
} from '@azure/monitor-opentelemetry-exporter';
import { type Context, context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { logs } from '@opentelemetry/api-logs';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordProcessor } from '@opentelemetry/sdk-logs';
import {
  AggregationTemporality,
  InstrumentType,
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { AlwaysOnSampler, BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

import { defined } from '../lib/defined.ts';
import { redact, safeError } from '../lib/redact.ts';
import { HUBKEEPER_VERSION } from '../lib/registry/version.ts';
import { METRICS, type MetricName } from '../lib/telemetry/metrics.ts';
import { type SpanAttributes, type SpanOptions, type Telemetry, useTelemetry } from '../lib/telemetry/telemetry.ts';
import type { TelemetryPlaces } from './telemetryPlaces.ts';

const NAME = 'hubkeeper';
/** A host that ends an instance waits no longer. */
const LAST_FLUSH_MS = 5000;

/** Begins to send; what is left is sent when the app ends. */
export function startTelemetry(places: TelemetryPlaces): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const { tracers, meters, loggers } = providersOf(places);
  logs.setGlobalLoggerProvider(loggers);
  // It opens the trace of the host for each call, takes over the logs of the app, and tells the host of both.
  const instrumentation = new AzureFunctionsInstrumentationESM({ enabled: false });
  instrumentation.setLoggerProvider(loggers);
  instrumentation.registerAzFunc(functions);
  useTelemetry(telemetryBy(tracers, meters));
  functions.app.hook.appTerminate(async () => {
    const flushed = Promise.allSettled([tracers.shutdown(), meters.shutdown(), loggers.shutdown()]);
    await Promise.race([flushed, new Promise((resolve) => setTimeout(resolve, LAST_FLUSH_MS).unref())]);
  });
}

function providersOf({ azure, otlp }: TelemetryPlaces) {
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': process.env['WEBSITE_SITE_NAME'] ?? NAME }))
    .merge(resourceFromAttributes({ 'service.version': HUBKEEPER_VERSION }))
    // What is set by hand wins.
    .merge(detectResources({ detectors: [envDetector] }));
  const options = azure && {
    connectionString: azure.connectionString,
    ...(azure.identity === undefined
      ? {}
      : { credential: new DefaultAzureCredential(defined({ managedIdentityClientId: azure.identity.clientId })) }),
  };
  // What the exporter would tell Microsoft about itself is nobody's wish here.
  if (azure !== undefined) process.env['APPLICATION_INSIGHTS_NO_STATSBEAT'] ??= 'true';
  const spans = [options && new AzureMonitorTraceExporter(options), otlp ? new OTLPTraceExporter() : undefined];
  const metrics = [options && new AzureMonitorMetricExporter(options), otlp ? new OTLPMetricExporter() : undefined];
  const records = [options && new AzureMonitorLogExporter(options), otlp ? new OTLPLogExporter() : undefined];
  const interval = Number(process.env['OTEL_METRIC_EXPORT_INTERVAL']);
  return {
    tracers: new BasicTracerProvider({
      resource,
      spanProcessors: spans.flatMap((exporter) => (exporter === undefined ? [] : [new BatchSpanProcessor(exporter)])),
      // Hosts mark their traces as not sampled where they send none themselves. The spans of a run are few.
      ...(process.env['OTEL_TRACES_SAMPLER'] === undefined ? { sampler: new AlwaysOnSampler() } : {}),
    }),
    meters: new MeterProvider({
      resource,
      readers: metrics.flatMap((exporter) =>
        exporter === undefined
          ? []
          : [
              new PeriodicExportingMetricReader({
                exporter: withoutOldGauges(exporter),
                ...(interval > 0 ? { exportIntervalMillis: interval, exportTimeoutMillis: interval } : {}),
              }),
            ],
      ),
    }),
    loggers: new LoggerProvider({
      resource,
      processors: [
        REDACTION,
        ...records.flatMap((exporter) => (exporter === undefined ? [] : [new BatchLogRecordProcessor({ exporter })])),
      ],
    }),
  };
}

/** A gauge is told when it was measured, and not again by an instance that no longer measures it. */
function withoutOldGauges(exporter: PushMetricExporter): PushMetricExporter {
  const select = exporter.selectAggregationTemporality?.bind(exporter);
  exporter.selectAggregationTemporality = (type) =>
    type === InstrumentType.GAUGE
      ? AggregationTemporality.DELTA
      : (select?.(type) ?? AggregationTemporality.CUMULATIVE);
  return exporter;
}

/** Comes before those that send. */
const REDACTION: LogRecordProcessor = {
  onEmit(record) {
    record.setBody(typeof record.body === 'string' ? redact(record.body) : '');
  },
  forceFlush: async () => undefined,
  shutdown: async () => undefined,
};

function telemetryBy(tracers: BasicTracerProvider, meters: MeterProvider): Telemetry {
  const tracer = tracers.getTracer(NAME, HUBKEEPER_VERSION);
  const instruments = instrumentsOf(meters);
  return {
    measure: (name, value, attributes) => instruments[name](value, safeAttributes(attributes)),
    async span(name, options, work) {
      const { attributes = {}, startedAt, isCall } = options;
      const kind = isCall ? SpanKind.CLIENT : SpanKind.INTERNAL;
      const how = { kind, attributes: safeAttributes(attributes), ...defined({ startTime: startedAt }) };
      const parent = parentOf(options);
      const span = tracer.startSpan(name, how, parent);
      try {
        return await context.with(trace.setSpan(parent, span), () =>
          work((more) => span.setAttributes(safeAttributes(more))),
        );
      } catch (error) {
        const { code, name: type, message } = safeError(error);
        span.setAttribute('error.type', code ?? type);
        span.setStatus({ code: SpanStatusCode.ERROR, message });
        throw error;
      } finally {
        span.end();
      }
    },
    traceparent() {
      const carrier: { traceparent?: string } = {};
      propagation.inject(context.active(), carrier);
      return carrier.traceparent;
    },
  };
}

function parentOf({ parent }: SpanOptions): Context {
  return parent === undefined ? context.active() : propagation.extract(context.active(), { traceparent: parent });
}

/** Numbers as they are; texts without what looks like a secret. */
function safeAttributes(
  attributes: SpanAttributes | Readonly<Record<string, string>>,
): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, typeof value === 'number' ? value : redact(value)]),
  );
}

type Instruments = Readonly<Record<MetricName, (value: number, attributes: Record<string, string | number>) => void>>;

function instrumentsOf(meters: MeterProvider): Instruments {
  const meter = meters.getMeter(NAME, HUBKEEPER_VERSION);
  return Object.fromEntries(
    Object.entries(METRICS).map(([name, { kind, unit, meaning }]) => {
      const options = { unit, description: meaning };
      if (kind === 'counter') {
        const counter = meter.createCounter(name, options);
        return [name, counter.add.bind(counter)];
      }
      const instrument = kind === 'gauge' ? meter.createGauge(name, options) : meter.createHistogram(name, options);
      return [name, instrument.record.bind(instrument)];
    }),
  ) as unknown as Instruments;
}
