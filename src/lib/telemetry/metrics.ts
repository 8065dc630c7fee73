/**
 * The metrics of HubKeeper: whoever measures, alerts (infra/alerts.bicep) and documents takes the names from here.
 *
 * A name or an attribute that is changed breaks the alerts and dashboards of those who run the app. Values of attributes are
 * few and fixed, but for `hub` (aliases of the settings) and `partition`; none is ever a device id or a secret.
 */

export interface Metric {
  /** A counter adds up; a gauge is what it is now; a histogram takes single values. */
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** As OpenTelemetry writes it (UCUM). */
  readonly unit: string;
  readonly attributes: readonly MetricAttribute[];
  /** In Markdown. */
  readonly meaning: string;
}

export type MetricAttribute = 'hub' | 'kind' | 'outcome' | 'partition' | 'reason' | 'what';

// biome-ignore format: a row a line, so that a search for a metric shows all that is said of it.
export const METRICS = {
  'hubkeeper.runs': { kind: 'counter', unit: '{run}', attributes: ['hub', 'kind', 'outcome'], meaning: 'Runs that ended: what they were (`provision`, `backup`, …) and how they ended (`completed`, `completedWithFailures`, `refused`, `cancelled`, `failed`, `stale`).' },
  'hubkeeper.lines': { kind: 'counter', unit: '{line}', attributes: ['hub', 'outcome'], meaning: 'Lines of runs that ended, by their outcome.' },
  'hubkeeper.job.wait': { kind: 'histogram', unit: 's', attributes: ['hub', 'kind'], meaning: 'From when a run asks for its turn on a hub until its job starts.' },
  'hubkeeper.retries': { kind: 'counter', unit: '{line}', attributes: ['hub', 'reason'], meaning: 'Lines that were given to the hub again, by the kind of failure.' },
  'hubkeeper.throttles': { kind: 'counter', unit: '{call}', attributes: ['hub'], meaning: 'Calls that the hub throttled.' },
  'hubkeeper.backup.age': { kind: 'gauge', unit: 's', attributes: ['hub'], meaning: 'Age of the newest good backup; where there is none, how long backups have been scheduled.' },
  'hubkeeper.backup.verification': { kind: 'counter', unit: '{backup}', attributes: ['hub', 'outcome'], meaning: 'Backups that were read again: `good` or `damaged`.' },
  'hubkeeper.mirror.lag': { kind: 'gauge', unit: 's', attributes: ['partition'], meaning: 'How long the oldest event of a partition that was not taken in yet has waited; 0: none waits.' },
  'hubkeeper.mirror.dead_letters': { kind: 'counter', unit: '{event}', attributes: ['reason'], meaning: 'Events that were put to the dead letters.' },
  'hubkeeper.mirror.drift': { kind: 'counter', unit: '{identity}', attributes: ['hub', 'what'], meaning: 'Identities that a reconcile found `missing`, `extra` or `different` in the mirror.' },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;
