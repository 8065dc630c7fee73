import { useTelemetry } from '../../src/lib/telemetry/telemetry.ts';

/** What is measured while `work` goes on: names, values, attributes. */
export async function measured(work: () => Promise<unknown>): Promise<(readonly [string, number, object])[]> {
  const found: (readonly [string, number, object])[] = [];
  useTelemetry({
    measure: (name, value, attributes) => void found.push([name, value, attributes]),
    span: (_name, _options, inside) => inside(() => undefined),
    traceparent: () => undefined,
  });
  try {
    await work();
    return found;
  } finally {
    useTelemetry(undefined);
  }
}
