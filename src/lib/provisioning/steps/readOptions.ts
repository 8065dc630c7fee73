/**
 * The steps of a provisioning run: each is one durable activity, safe to repeat at any moment.
 *
 * A step reads the run record, does its part, and writes what it learnt back to the record. What nobody can fix by
 * waiting ends the run here, with an error that a person understands; what is transient is thrown, or waited for.
 */

import { CONFIGURATIONS_FILE } from '../../configurationsFile/checkConfigurationsFile.ts';
import { runErrorOf } from '../../runs/endRun.ts';
import { hubOf } from '../../runs/runRecord.ts';
import { readText } from '../../storage/readText.ts';
import { assertDropUnchanged, DropChanged, dropBlob } from '../drop/drop.ts';
import {
  METADATA_HUB,
  metadataGivesOptions,
  OptionsRefused,
  optionsFromJson,
  optionsFromMetadata,
} from '../drop/dropOptions.ts';
import { parseDropPath } from '../drop/dropPath.ts';
import { CANCELLED, isCancelledBefore, openRun } from '../job/openRun.ts';
import { endWithoutJob } from '../report/endRun.ts';
import { DEFAULT_OPTIONS, type ProvisionOptions } from '../run/options.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import { runError } from '../texts/runErrors.ts';
import type { Results } from './flow.ts';

/** Stands in the record for a confirmation that names something else. */
const OTHER_NAME = '(another name)';
const ENDED = { status: 'ended' } as const;

export async function readOptions(
  context: ProvisioningContext,
  { runId }: { readonly runId: string },
): Promise<Results['readOptions']> {
  const record = await openRun(context, runId);
  if (record === undefined) return ENDED;
  if (isCancelledBefore(record)) {
    await endWithoutJob(context, runId, CANCELLED);
    return ENDED;
  }
  // Started again after its orchestration was lost: whatever has become of the drop, its options are known.
  if (record.startedAt !== undefined && record.options !== undefined) return readyOf(record);
  try {
    // Those of a file that was handed in are known before.
    const options = record.options === undefined ? await findOptions(context, record) : { found: record.options };
    if ('wait' in options) return { status: 'wait', seconds: options.wait };
    const found = withoutOtherName(context, hubOf(record), options.found);
    await context.runs.update(runId, (current) => ({
      ...current,
      options: found,
      state: 'running',
      phase: 'check',
      startedAt: current.startedAt ?? context.now().toISOString(),
    }));
    return readyOf(record);
  } catch (error) {
    if (!(error instanceof OptionsRefused || error instanceof DropChanged)) throw error;
    await endWithoutJob(context, runId, { state: 'refused', error: runErrorOf(error) });
    return ENDED;
  }
}

/** The hub of a run, and its place in the queue there. */
function readyOf(record: ProvisionRun): Results['readOptions'] {
  const { runId, drop } = record;
  return { status: 'ready', hub: hubOf(record), ticket: { runId, droppedAt: drop.lastModified, name: drop.blobName } };
}

/** A confirmation that is not the name of the hub confirms nothing, and whatever it is, it is not kept. */
function withoutOtherName(context: ProvisioningContext, hub: string, options: ProvisionOptions): ProvisionOptions {
  const { confirm } = options;
  if (confirm === undefined || confirm.toLowerCase() === context.hub(hub).hubName.toLowerCase()) return options;
  return { ...options, confirm: OTHER_NAME };
}

async function findOptions(
  context: ProvisioningContext,
  record: ProvisionRun,
): Promise<{ readonly found: ProvisionOptions } | { readonly wait: number }> {
  const path = parseDropPath(record.drop.blobName, [...context.settings.hubs.keys()]);
  if (path?.hub === undefined) {
    const problem = path?.problem ?? `${record.drop.blobName} is not a devices file.`;
    throw new OptionsRefused(runError('hubUnknown:path', { problem }));
  }
  await assertDropUnchanged(context, record);
  const metadata = (await dropBlob(context, record).getProperties()).metadata ?? {};
  const meant = metadata[METADATA_HUB]?.toLowerCase();
  if (meant !== undefined && meant !== path.hub) {
    const hub = /^[a-z0-9]{1,20}$/.test(meant) ? `the hub "${meant}"` : 'another hub';
    const hubs = [...context.settings.hubs.keys()].sort().join(', ');
    throw new OptionsRefused(runError('hubUnknown:metadata', { hub, hubs }));
  }
  if (metadataGivesOptions(metadata)) return { found: optionsFromMetadata(metadata) };

  const container = context.storage.container(record.drop.container);
  let newest = 0;
  let serviceNow = context.now().getTime();
  let hasOptions = false;
  const name = `${path.folder}options.json`;
  const beside = new Set([record.drop.blobName, name, `${path.folder}${CONFIGURATIONS_FILE}`]);
  for await (const page of container.listBlobsByHierarchy('/', { prefix: path.folder }).byPage()) {
    // The service's own clock: what counts is how long ago the folder changed by the clock that dated the change.
    serviceNow = page.date?.getTime() ?? serviceNow;
    for (const item of page.segment.blobItems) {
      // Only what concerns this drop: other files that come and go in the folder must not hold it up.
      if (!beside.has(item.name)) continue;
      newest = Math.max(newest, item.properties.lastModified.getTime());
      hasOptions ||= item.name === name;
    }
  }
  const quietSeconds = (serviceNow - newest) / 1000;
  if (quietSeconds < context.settings.dropSettleSeconds) {
    return { wait: Math.max(1, Math.ceil(context.settings.dropSettleSeconds - quietSeconds)) };
  }
  if (!hasOptions) return { found: DEFAULT_OPTIONS };
  const { text } = await readText(container.getBlockBlobClient(name));
  return { found: optionsFromJson(text, `${record.drop.container}/${name}`) };
}
