/** What is told of a run that has ended: its metrics, and the span that spans it all. */

import { defined } from './defined.ts';
import type { RunRecord } from './runKinds.ts';
import { OUTCOMES } from './runs/runRecord.ts';
import type { MetricName } from './telemetry/metrics.ts';
import { isTold, type MetricAttributes, measure, span } from './telemetry/telemetry.ts';

export type Measurement = {
  readonly [Name in MetricName]: {
    readonly name: Name;
    readonly value: number;
    readonly attributes: MetricAttributes<Name>;
  };
}[MetricName];

/** What a run that was refused before its hub was known says in place of it. */
const NO_HUB = 'none';

/** Everything that its record tells, once it is final. */
export function measurementsOf(record: RunRecord): readonly Measurement[] {
  const { kind, hub = NO_HUB, state: outcome } = record;
  return [
    { name: 'hubkeeper.runs', value: 1, attributes: { hub, kind, outcome } },
    ...OUTCOMES.flatMap((line): Measurement[] => {
      const value = record.outcomes?.[line] ?? 0;
      return value === 0 ? [] : [{ name: 'hubkeeper.lines', value, attributes: { hub, outcome: line } }];
    }),
    ...jobWait(record),
    ...(record.kind === 'verify' ? verifications(record.result) : []),
    ...(record.kind === 'reconcile' ? drift(hub, record.result) : []),
  ];
}

function jobWait({ kind, hub = NO_HUB, turnAskedAt, jobs }: RunRecord): readonly Measurement[] {
  if (turnAskedAt === undefined) return [];
  const started = Object.values(jobs)
    .flatMap((job) => job?.createdAt ?? [])
    .filter((at) => at >= turnAskedAt)
    .toSorted()[0];
  if (started === undefined) return [];
  const value = (Date.parse(started) - Date.parse(turnAskedAt)) / 1000;
  return [{ name: 'hubkeeper.job.wait', value, attributes: { hub, kind } }];
}

/** @param result of a verification: `backup/verifyStages.ts` */
function verifications(result: Readonly<Record<string, unknown>> | undefined): readonly Measurement[] {
  const backups = result?.['backups'];
  if (!Array.isArray(backups)) return [];
  return backups.flatMap(({ backup, result: outcome }: { readonly backup?: unknown; readonly result?: unknown }) =>
    (outcome === 'good' || outcome === 'damaged') && typeof backup === 'string'
      ? [{ name: 'hubkeeper.backup.verification', value: 1, attributes: { hub: hubIn(backup), outcome } }]
      : [],
  );
}

/** The name of a backup begins with the alias of its hub. */
function hubIn(backup: string): string {
  return backup.split('/', 1)[0] ?? NO_HUB;
}

/** @param result of a reconcile: `mirror/reconcile/reconcileReport.ts` */
function drift(hub: string, result: Readonly<Record<string, unknown>> | undefined): readonly Measurement[] {
  return (['missing', 'extra', 'different'] as const).flatMap((what): Measurement[] => {
    const value = result?.[what];
    return typeof value === 'number' && value > 0
      ? [{ name: 'hubkeeper.mirror.drift', value, attributes: { hub, what } }]
      : [];
  });
}

/** Tells of a run that has ended just now. */
export async function tellOfEndedRun(record: RunRecord): Promise<void> {
  if (!isTold()) return;
  for (const { name, value, attributes } of measurementsOf(record)) measure(name, value, attributes as never);
  const { kind, runId, hub, state } = record;
  const attributes = {
    'hubkeeper.run': runId,
    'hubkeeper.kind': kind,
    'hubkeeper.outcome': state,
    ...defined({ 'hubkeeper.hub': hub }),
  };
  const startedAt = new Date(record.createdAt);
  await span(`run ${kind}`, { attributes, parent: record.traceparent, startedAt }, async () => undefined);
}
