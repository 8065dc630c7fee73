import { randomBytes } from 'node:crypto';

import { CONFIGURATION_MODE } from '../../configurationsFile/checkConfigurationLine.ts';
import { configurationDifferences } from '../../configurationsFile/configurationDifferences.ts';
import { type ConfigurationInput, configurationBody } from '../../registry/index.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { hubOf } from '../../runs/runRecord.ts';
import { makeOnce } from '../../storage/jsonBlob.ts';
import { writeLines } from '../../storage/ndjson.ts';
import type { CheckResult } from '../check/checkResult.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import {
  type AcceptedConfiguration,
  CONFIGURATIONS_INPUT_BLOB,
  type ConfigurationsInput,
  stagedConfigurations,
} from './configurationsStaging.ts';

/**
 * Makes what the import job reads of the configurations.
 *
 * The one import mode of configurations overwrites only where the ETag matches, so a line that does not ask for the
 * comparison is given the ETag that the hub has now. A configuration that exists with other content is held back: a hub
 * never changes the content of one, and would put the old content under the new target condition and priority, without
 * a word. What is overwritten is kept first.
 *
 * @returns undefined when the drop has no configurations
 * @throws HubError
 */
export async function prepareConfigurations(
  context: ProvisioningContext,
  record: ProvisionRun,
  check: CheckResult,
): Promise<ConfigurationsInput | undefined> {
  const { configurations } = check;
  if (configurations === undefined) return undefined;
  const manifest = stagingOf(context, record.runId).getBlockBlobClient(CONFIGURATIONS_INPUT_BLOB);
  return makeOnce<ConfigurationsInput>(manifest, async () => {
    const lines = await stagedConfigurations(context, record.runId, configurations);
    const wanted = lines.filter((line): line is AcceptedConfiguration => line.kind === 'accepted');
    return wanted.length === 0 ? { heldBack: [] } : stage(context, record, wanted);
  });
}

async function stage(
  context: ProvisioningContext,
  record: ProvisionRun,
  wanted: readonly AcceptedConfiguration[],
): Promise<ConfigurationsInput> {
  const held = new Map(
    (await context.hub(hubOf(record)).listConfigurations()).map((configuration) => [configuration.id, configuration]),
  );
  const heldBack: string[] = [];
  const before: string[] = [];
  const sent: string[] = [];
  for (const { id, configuration } of wanted) {
    const now = held.get(id);
    if (now !== undefined && configurationDifferences(configuration, now).includes('content')) {
      heldBack.push(id);
      continue;
    }
    if (now !== undefined) before.push(importLine(now));
    const etag = configuration.etag ?? now?.etag;
    sent.push(importLine(etag === undefined ? configuration : { ...configuration, etag }));
  }
  const attempt = randomBytes(4).toString('hex');
  const write = async (name: string, texts: readonly string[]): Promise<string> => {
    const blob = stagingOf(context, record.runId).getBlockBlobClient(`${name}-${attempt}.txt`);
    await writeLines(blob, texts);
    return blob.name;
  };
  return {
    ...(sent.length === 0 ? {} : { blobName: await write('configurations', sent) }),
    ...(before.length === 0 ? {} : { before: await write('configurations-before', before) }),
    heldBack,
  };
}

function importLine(configuration: ConfigurationInput): string {
  return JSON.stringify({ ...configurationBody(configuration), importMode: CONFIGURATION_MODE });
}
