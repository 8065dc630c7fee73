/** Every orchestration name, event name and instance-id rule, in one place. */

export const ORCHESTRATIONS = {
  provisionRun: 'provisionRun',
  provisionJobStart: 'provisionJobStart',
  provisionJobWatch: 'provisionJobWatch',
} as const;

/** Raised to a run's orchestration when a person asks to cancel it. */
export const CANCEL_EVENT = 'cancel';

/** The orchestration of a run has the run's own id: two starts of one run meet in one instance. */
export function instanceIdOfRun(runId: string): string {
  return runId;
}
