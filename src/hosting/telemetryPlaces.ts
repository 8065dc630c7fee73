/** Where telemetry is sent, by the settings that the Functions host and OpenTelemetry themselves go by. */

import { defined } from '../lib/defined.ts';

export interface TelemetryPlaces {
  /** Application Insights. */
  readonly azure?: {
    readonly connectionString: string;
    /** Whether it takes telemetry from identities only; with the id of a user-assigned one. */
    readonly identity?: { readonly clientId?: string };
  };
  /** OTLP over HTTP: OpenTelemetry reads all about it from its own settings. */
  readonly otlp: boolean;
}

/** OpenTelemetry takes one place for all, or one for each signal. */
const OTLP = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
  'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT',
];

/** Undefined: nowhere. `OTEL_SDK_DISABLED` turns it off, as everywhere. */
export function placesOf(environment: Readonly<Record<string, string | undefined>>): TelemetryPlaces | undefined {
  const value = (name: string) => environment[name]?.trim() || undefined;
  if (value('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined;
  const connectionString = value('APPLICATIONINSIGHTS_CONNECTION_STRING');
  const otlp = OTLP.some((name) => value(name) !== undefined);
  if (connectionString === undefined && !otlp) return undefined;
  const identity = identityIn(value('APPLICATIONINSIGHTS_AUTHENTICATION_STRING'));
  return { otlp, ...(connectionString === undefined ? {} : { azure: { connectionString, ...defined({ identity }) } }) };
}

/** `Authorization=AAD`, or `ClientId=…;Authorization=AAD`. */
function identityIn(text: string | undefined): { readonly clientId?: string } | undefined {
  const parts = new Map(
    (text ?? '').split(';').map((part): [string, string] => {
      const [name = '', value = ''] = part.split('=', 2);
      return [name.trim().toLowerCase(), value.trim()];
    }),
  );
  if (parts.get('authorization')?.toUpperCase() !== 'AAD') return undefined;
  return defined({ clientId: parts.get('clientid') || undefined });
}
