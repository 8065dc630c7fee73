import { PROVISION_KIND } from './provisioning/run/provisionKind.ts';
import type { ProvisionRun } from './provisioning/run/provisionRun.ts';
import type { RunKinds } from './runs/parseRunRecord.ts';

/** The record of a run, of whichever kind. */
export type RunRecord = ProvisionRun;

/** All kinds of runs there are. */
export const RUN_KINDS: RunKinds<RunRecord> = { provision: PROVISION_KIND };
