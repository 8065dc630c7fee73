/** What is shown of the report of a run. */

import type { Outcome } from '../../src/lib/runs/runRecord.ts';

/** Lines that ended alike, told by the first of them. */
export interface ReportedReason {
  readonly outcome: Outcome;
  readonly code: string;
  readonly count: number;
  readonly line: number;
  readonly deviceId?: string;
  readonly moduleId?: string;
  readonly reason?: string;
  readonly action?: string;
}

/** A configuration that a person has to look at. */
export interface ReportedConfiguration {
  readonly outcome: Outcome;
  readonly line: number;
  readonly configurationId?: string;
  readonly code?: string;
  readonly reason?: string;
  readonly action?: string;
}

/** What is read here of `report.json`; a run that was refused as a whole has no lines in it. */
export interface RunReport {
  /** The most frequent first. */
  readonly reasons?: readonly ReportedReason[];
  readonly configurations?: { readonly lines?: readonly ReportedConfiguration[] };
}
