/** What the container of a run holds of its configurations. Contents can hold passwords: they are nowhere else. */

import type { CheckedLine } from '../../configurationsFile/checkConfigurationsFile.ts';
import type { Verdict } from '../../runs/outcomes.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { readJson } from '../../storage/jsonBlob.ts';
import { rowsOf } from '../../storage/ndjson.ts';
import type { ConfigurationsCheck } from '../check/checkResult.ts';
import type { ProvisioningContext } from '../run/provisionRun.ts';

/** What a job makes of them: first-writer-wins, like every manifest of a run. */
export const CONFIGURATIONS_INPUT_BLOB = 'configurations-input.json';
/** What became of them. */
export const CONFIGURATIONS_SETTLED_BLOB = 'configurations-settled.json';
/** The hub writes the errors of configurations under this fixed name (Azure IoT SDK samples). */
export const CONFIGURATIONS_LOG_BLOB = 'importConfigErrors.log';

export interface ConfigurationsInput {
  /** What the job reads; absent when there is nothing to send. */
  readonly blobName?: string;
  /** The configurations that the job overwrites, as they were, in the form of `configurations.txt`. */
  readonly before?: string;
  /** Ids that exist with other content: they are not sent. */
  readonly heldBack: readonly string[];
}

export interface SettledConfigurations {
  readonly verdicts: readonly { readonly line: number; readonly verdict: Verdict }[];
}

export type AcceptedConfiguration = Extract<CheckedLine, { kind: 'accepted' }>;

/** The lines of the file, a thousand at most. */
export async function stagedConfigurations(
  context: ProvisioningContext,
  runId: string,
  check: ConfigurationsCheck,
): Promise<readonly CheckedLine[]> {
  return Array.fromAsync(rowsOf<CheckedLine>(stagingOf(context, runId).getBlockBlobClient(check.blobName)));
}

export async function readInput(context: ProvisioningContext, runId: string): Promise<ConfigurationsInput | undefined> {
  const blob = stagingOf(context, runId).getBlockBlobClient(CONFIGURATIONS_INPUT_BLOB);
  return (await readJson<ConfigurationsInput>(blob))?.value;
}

export async function readSettled(
  context: ProvisioningContext,
  runId: string,
): Promise<SettledConfigurations | undefined> {
  const blob = stagingOf(context, runId).getBlockBlobClient(CONFIGURATIONS_SETTLED_BLOB);
  return (await readJson<SettledConfigurations>(blob))?.value;
}
