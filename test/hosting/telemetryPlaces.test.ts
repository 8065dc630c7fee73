import { describe, expect, it } from 'vitest';

import { placesOf } from '../../src/hosting/telemetryPlaces.ts';

describe('telemetry is sent', () => {
  it.each([
    ['without settings', {}],
    ['with empty ones', { APPLICATIONINSIGHTS_CONNECTION_STRING: ' ', OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
    ['by an identity alone', { APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD' }],
    ['when it is turned off', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x:4318', OTEL_SDK_DISABLED: 'TRUE' }],
  ])('nowhere %s', (_, environment) => {
    expect(placesOf(environment)).toBeUndefined();
  });

  it('to Application Insights, as an identity where infra says so', () => {
    const APPLICATIONINSIGHTS_CONNECTION_STRING = 'InstrumentationKey=k';
    const azure = (text?: string) =>
      placesOf({ APPLICATIONINSIGHTS_CONNECTION_STRING, APPLICATIONINSIGHTS_AUTHENTICATION_STRING: text })?.azure;
    expect(azure()).toEqual({ connectionString: 'InstrumentationKey=k' });
    expect(azure('Authorization=AAD')).toEqual({ connectionString: 'InstrumentationKey=k', identity: {} });
    expect(azure('ClientId=c1;Authorization=AAD')?.identity).toEqual({ clientId: 'c1' });
  });

  it.each(['', '_TRACES', '_METRICS', '_LOGS'])('by OTLP where OTEL_EXPORTER_OTLP%s_ENDPOINT is set', (signal) => {
    expect(placesOf({ [`OTEL_EXPORTER_OTLP${signal}_ENDPOINT`]: 'http://x:4318' })).toEqual({ otlp: true });
  });
});
