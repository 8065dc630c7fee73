/** A collector of OTLP over HTTP, in JSON: keeps all that it is sent (https://opentelemetry.io/docs/specs/otlp/#otlphttp). */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CollectedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: Attributes;
}

export interface CollectedPoint {
  readonly metric: string;
  readonly unit: string;
  readonly value: number;
  readonly attributes: Attributes;
}

type Attributes = Readonly<Record<string, string | number | undefined>>;

export interface OtlpCollector {
  readonly url: string;
  spans(): CollectedSpan[];
  points(): CollectedPoint[];
  /** Paths that were asked. */
  paths(): ReadonlySet<string>;
  /** Everything that was received, as it came. */
  text(): string;
  stop(): Promise<void>;
}

interface WireAttribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number | string; readonly doubleValue?: number };
}

interface WirePoint {
  readonly attributes: readonly WireAttribute[];
  readonly asInt?: number | string;
  readonly asDouble?: number;
  readonly sum?: number;
}

interface WireMetric {
  readonly name: string;
  readonly unit: string;
  readonly sum?: { readonly dataPoints: readonly WirePoint[] };
  readonly gauge?: { readonly dataPoints: readonly WirePoint[] };
  readonly histogram?: { readonly dataPoints: readonly WirePoint[] };
}

interface WireBody {
  readonly resourceSpans?: readonly {
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<CollectedSpan, 'attributes'> & {
        readonly attributes: readonly WireAttribute[];
      })[];
    }[];
  }[];
  readonly resourceMetrics?: readonly {
    readonly scopeMetrics: readonly { readonly metrics: readonly WireMetric[] }[];
  }[];
}

export async function startOtlpCollector(): Promise<OtlpCollector> {
  const received: { readonly path: string; readonly text: string }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({ path: request.url ?? '', text: Buffer.concat(chunks).toString('utf8') });
    response.setHeader('content-type', 'application/json').end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bodies = () => received.map(({ text }) => JSON.parse(text) as WireBody);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: () =>
      bodies()
        .flatMap(({ resourceSpans = [] }) => resourceSpans)
        .flatMap(({ scopeSpans }) => scopeSpans)
        .flatMap(({ spans }) => spans)
        .map(({ name, traceId, spanId, parentSpanId, attributes }) => ({
          name,
          traceId,
          spanId,
          parentSpanId: parentSpanId || undefined,
          attributes: attributesOf(attributes),
        })),
    points: () =>
      bodies()
        .flatMap(({ resourceMetrics = [] }) => resourceMetrics)
        .flatMap(({ scopeMetrics }) => scopeMetrics)
        .flatMap(({ metrics }) => metrics)
        .flatMap(({ name: metric, unit, sum, gauge, histogram }) =>
          ((sum ?? gauge ?? histogram)?.dataPoints ?? []).map((point) => ({
            metric,
            unit,
            value: Number(point.asInt ?? point.asDouble ?? point.sum),
            attributes: attributesOf(point.attributes),
          })),
        ),
    paths: () => new Set(received.map(({ path }) => path)),
    text: () => received.map(({ text }) => text).join('\n'),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function attributesOf(attributes: readonly WireAttribute[]): Attributes {
  return Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, doubleValue } }) => [
      key,
      stringValue ?? (intValue === undefined ? doubleValue : Number(intValue)),
    ]),
  );
}
