import type { EventLog } from '../events/eventLog.ts';
import type { Audience } from './claims.ts';

/** What the event endpoint serves, and to whom. */
export interface EndpointInput {
  readonly hubName: string;
  readonly log: EventLog;
  readonly consumerGroups: readonly string[];
  readonly audience: Audience;
}
