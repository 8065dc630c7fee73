/** The metrics of the app, as a table. */

import { METRICS, type Metric } from '../../src/lib/telemetry/metrics.ts';
import { code, table } from './markdown.ts';

export function renderMetrics(): string {
  return table(
    ['metric', 'kind', 'unit', 'attributes', 'meaning'],
    Object.entries<Metric>(METRICS).map(([name, { kind, unit, attributes, meaning }]) => [
      code(name),
      kind,
      code(unit),
      attributes.map(code).join(', '),
      meaning,
    ]),
  );
}
