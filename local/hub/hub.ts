import type { Activity } from './activity.ts';
import type { EventEndpoint } from './amqp/eventEndpoint.ts';
import type { ConfigurationApplier } from './configurations/applyConfigurations.ts';
import type { ConfigurationStore } from './configurations/configurationStore.ts';
import type { Consistency } from './consistency.ts';
import type { EventLog } from './events/eventLog.ts';
import type { Faults } from './faults.ts';
import type { HubSettings } from './hubOptions.ts';
import type { JobManager } from './jobs/jobManager.ts';
import type { Policy } from './policies.ts';
import type { IdentityStore } from './registry/identityStore.ts';
import type { Throttles } from './throttles.ts';

/** A running hub, as its operations see it. */
export interface Hub {
  readonly name: string;
  readonly policies: readonly Policy[];
  /** The key that tokens of Entra ID are signed with here; absent: none are accepted. */
  readonly entraKey?: string;
  /** Changes while the hub runs (PATCH /options). */
  readonly settings: HubSettings;
  readonly store: IdentityStore;
  readonly configurations: ConfigurationStore;
  readonly configurationApplier: ConfigurationApplier;
  readonly jobs: JobManager;
  readonly faults: Faults;
  readonly throttles: Throttles;
  readonly consistency: Consistency;
  readonly activity: Activity;
  readonly events: EventLog;
  readonly eventEndpoint: EventEndpoint;
  now(): number;
}
