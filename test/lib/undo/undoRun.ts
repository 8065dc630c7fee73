/** Undoes a run of a simulated hub with the real pieces, as the run of an undo puts them together. */

import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

import { ContainerSASPermissions } from '@azure/storage-blob';

import { readEffectsBy } from '../../../src/lib/provisioning/effects/readEffects.ts';
import type { ProvisionRun } from '../../../src/lib/provisioning/run/provisionRun.ts';
import { applyConfigurations } from '../../../src/lib/registryExtras/applyConfigurations.ts';
import { applyManagedBy } from '../../../src/lib/registryExtras/applyManagedBy.ts';
import { applySystemModules } from '../../../src/lib/registryExtras/applySystemModules.ts';
import { type ModuleExtra, readExtras } from '../../../src/lib/registryExtras/extraLine.ts';
import { planAllSystemModules } from '../../../src/lib/registryExtras/systemModules.ts';
import { adoptExport } from '../../../src/lib/registryLines/adoptExport.ts';
import { openSnapshot, type SnapshotRef } from '../../../src/lib/registryLines/snapshot.ts';
import type { SnapshotPlace } from '../../../src/lib/registryLines/takeSnapshot.ts';
import { linesOf, rowsOf } from '../../../src/lib/storage/ndjson.ts';
import { planUndo } from '../../../src/lib/undo/planUndo.ts';
import { readLive } from '../../../src/lib/undo/readLive.ts';
import { undoConfigurations } from '../../../src/lib/undo/undoConfigurations.ts';
import { type UndoDetail, type UndoFiles, writeUndo } from '../../../src/lib/undo/writeUndo.ts';
import type { SimulatedHub } from '../../helpers/simulatedHub.ts';

export interface Undone extends UndoFiles {
  readonly way: 'single' | 'export';
  readonly told: readonly UndoDetail[];
  /** The run that has applied the lines; undefined: there were none. */
  readonly run: ProvisionRun | undefined;
  /** All that the plan has put into storage. */
  readonly text: string;
}

let undos = 0;

export async function undoRun(
  hub: SimulatedHub,
  runId: string,
  { force = false, beforeApply }: { readonly force?: boolean; readonly beforeApply?: () => Promise<void> } = {},
): Promise<Undone> {
  const { client, context } = hub;
  const effects = await readEffectsBy(context)(runId);
  const container = context.storage.container(`undo${process.pid}-${++undos}`);
  await container.create();
  const place = { hub: client, container, now: context.now };
  const { preImage } = effects;
  const open = (from: SnapshotRef & { readonly container: string }) =>
    openSnapshot(context.storage.container(from.container), from);
  const before = preImage && { lines: () => open(preImage).lines() };
  const live = await readLive(place, 'live', effects, before?.lines());
  const now = live === 'export' ? await exportAll(place) : live;
  const sources = { effects, live: open(now), ...(before === undefined ? {} : { before }) };
  const files = await writeUndo(container, 'undo', planUndo(sources, { folder: tmpdir(), force, buckets: 3 }));
  const blob = (name: string) => container.getBlockBlobClient(name);
  const rows = async <T>(name: string | undefined): Promise<readonly T[]> =>
    name === undefined ? [] : Array.fromAsync(rowsOf<T>(blob(name)));
  const { changes } = undoConfigurations(effects.configurations, await client.listConfigurations(), force);

  await beforeApply?.();
  const { lines, system, managers, details } = files;
  const run =
    lines === undefined ? undefined : await hub.provision(await rows<object>(lines), { confirm: client.hubName });
  const limits = { atMost: 1_000, until: new Date(8e15), now: context.now, sleep };
  if (system !== undefined) {
    const plans = planAllSystemModules(() => linesOf(blob(system)));
    expectDone(await applySystemModules(client, plans, 0, limits));
  }
  if (managers !== undefined) {
    const extras = (await Array.fromAsync(readExtras(linesOf(blob(managers)), managers))) as ModuleExtra[];
    expectDone(await applyManagedBy(client, extras, 0, limits));
  }
  expectDone(await applyConfigurations(client, changes, 0, limits));

  const texts = await Promise.all(
    [details].map(async (name) => (name === undefined ? '' : (await blob(name).downloadToBuffer()).toString())),
  );
  return { ...files, way: now.way, told: await rows<UndoDetail>(details), run, text: texts.join('') };
}

function expectDone({
  results,
  done,
}: {
  readonly results: readonly { readonly outcome: string }[];
  readonly done: boolean;
}) {
  const failed = results.filter(({ outcome }) => outcome === 'failed');
  if (!done || failed.length > 0) throw new Error(`It was not all put back: ${JSON.stringify(failed)}`);
}

async function exportAll(place: SnapshotPlace) {
  const outputBlobContainerUri = await place.container.generateSasUrl({
    permissions: ContainerSASPermissions.parse('rwd'),
    expiresOn: new Date(Date.now() + 3_600_000),
  });
  let job = await place.hub.createExportJob({ outputBlobContainerUri, outputBlobName: 'all.txt' });
  for (let tries = 0; job.status !== 'completed' && tries < 200; tries++) {
    await sleep(20);
    job = (await place.hub.getJob(job.jobId)) ?? job;
  }
  const { jobId, status } = job;
  const request = { blobName: 'all.txt', keys: 'included' } as const;
  const all = await adoptExport(place, request, { jobId, status, createdAt: place.now().toISOString() });
  if ('fault' in all) throw new Error(all.why);
  return all;
}
