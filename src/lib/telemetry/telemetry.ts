/**
 * Spans and measurements, for the domain: without a place to send them to, all of this does nothing and costs nothing.
 *
 * One for the whole process, as OpenTelemetry's own interface is: what is measured has no say in where it goes.
 * `src/hosting/openTelemetry.ts` is what stands behind it, loaded when there is such a place.
 */

import type { METRICS, MetricName } from './metrics.ts';

/** Values of a metric's attributes: of each that the metric has one. */
export type MetricAttributes<Name extends MetricName> = Readonly<
  Record<(typeof METRICS)[Name]['attributes'][number], string>
>;

/** What a span may tell. None of it is ever a key, a signature, a query string, or an id of a device. */
export type SpanAttribute =
  | 'hubkeeper.run'
  | 'hubkeeper.kind'
  | 'hubkeeper.hub'
  | 'hubkeeper.step'
  | 'hubkeeper.outcome'
  | 'http.request.method'
  | 'http.response.status_code'
  | 'server.address'
  | 'url.template';

export type SpanAttributes = Readonly<Partial<Record<SpanAttribute, string | number>>>;

export interface SpanOptions {
  readonly attributes?: SpanAttributes;
  /** A traceparent: what the span is below. Default: the span that is open, if there is one. */
  readonly parent?: string | undefined;
  /** Where it began earlier. */
  readonly startedAt?: Date;
  /** A call to another service. */
  readonly isCall?: true;
}

export interface Telemetry {
  measure(name: MetricName, value: number, attributes: Readonly<Record<string, string>>): void;
  span<Result>(
    name: string,
    options: SpanOptions,
    work: (tell: (attributes: SpanAttributes) => void) => Promise<Result>,
  ): Promise<Result>;
  /** The traceparent of the span that is open. */
  traceparent(): string | undefined;
}

let telemetry: Telemetry | undefined;

/** @param next undefined: nothing is sent any more */
export function useTelemetry(next: Telemetry | undefined): void {
  telemetry = next;
}

/** Whether anything is made of what is told; spares finding it out. */
export function isTold(): boolean {
  return telemetry !== undefined;
}

/** Adds to a counter, sets a gauge, or gives a histogram one more value. */
export function measure<Name extends MetricName>(name: Name, value: number, attributes: MetricAttributes<Name>): void {
  telemetry?.measure(name, value, attributes);
}

/** Does `work` as a span; one that throws is told as failed. */
export function span<Result>(
  name: string,
  options: SpanOptions,
  work: (tell: (attributes: SpanAttributes) => void) => Promise<Result>,
): Promise<Result> {
  return telemetry === undefined ? work(() => undefined) : telemetry.span(name, options, work);
}

/** Where spans that are told later belong, as W3C Trace Context writes it; it is no secret. */
export function traceparent(): string | undefined {
  return telemetry?.traceparent();
}

/** Whether two traceparents are of one trace. */
export function isSameTrace(one: string | undefined, other: string | undefined): boolean {
  const trace = traceIdOf(one);
  return trace !== undefined && trace === traceIdOf(other);
}

function traceIdOf(text: string | undefined): string | undefined {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(text ?? '')?.[1];
}
