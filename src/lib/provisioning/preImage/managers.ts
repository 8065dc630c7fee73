/**
 * Who managed the modules that a run deletes, where its pre-image is an export, which does not tell: their devices are
 * asked for them while they are there. It is good to have and no more: what the hub does not show in time stays unknown.
 */

import { randomBytes } from 'node:crypto';

import { createIdentityTable, type IdentityTable, identityOf } from '../../devicesFile/identityTable.ts';
import { type ImportMode, MODE_RULES } from '../../devicesFile/importMode.ts';
import { HubKeeperError } from '../../errors.ts';
import { HubError, type RegistryClient } from '../../registry/index.ts';
import { type Identity, openSnapshot, type Snapshot } from '../../registryLines/snapshot.ts';
import { snapshotPlace, stagingOf } from '../../runs/runContainer.ts';
import type { ModuleManager } from '../../runs/runEffects.ts';
import { rowsOf, writeLines } from '../../storage/ndjson.ts';
import { type CheckResult, checkBlobs } from '../check/checkResult.ts';
import { decodeEntry, isAccepted } from '../check/lineIndex.ts';
import type { Epoch } from '../run/epoch.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';

const MOST_DEVICES = 1_000;
/** As many as a hub of the smallest tier answers without throttling. */
const AT_ONCE = 4;
/** All of it is part of one activity. */
const WORK_MS = 45_000;
const CALL_MS = 10_000;
/** For a hub that is in trouble. */
const REST_MS = 5_000;

/**
 * Asks the hub for at most 1,000 devices of which the run deletes modules, and writes what it says as `ModuleManager`s.
 *
 * @param exported the pre-image
 * @returns the name of the blob, in the container of the run: each attempt writes its own; undefined: nothing is known
 */
export async function readManagers(
  context: ProvisioningContext,
  record: ProvisionRun,
  { check, epoch, exported }: { readonly check: CheckResult; readonly epoch: Epoch; readonly exported: Snapshot },
): Promise<string | undefined> {
  if (record.options?.dryRun === true) return undefined;
  const devices = await devicesToAsk(context, record, check, exported);
  const managers = await askAll(context, snapshotPlace(context, record).hub, devices);
  if (managers.length === 0) return undefined;
  const blobName = `managers-${epoch}-${randomBytes(4).toString('hex')}.ndjson`;
  const rows = managers.map((row) => JSON.stringify(row));
  await writeLines(stagingOf(context, record.runId).getBlockBlobClient(blobName), rows);
  return blobName;
}

async function devicesToAsk(
  context: ProvisioningContext,
  record: ProvisionRun,
  check: CheckResult,
  exported: Snapshot,
): Promise<readonly string[]> {
  const modes = Object.keys(check.counts.byMode) as ImportMode[];
  if (!modes.some((mode) => MODE_RULES[mode].deletes)) return [];
  const container = stagingOf(context, record.runId);
  const deleted = createIdentityTable();
  for await (const entry of rowsOf(checkBlobs(container, check.attempt).index, decodeEntry)) {
    if (isAccepted(entry) && MODE_RULES[entry.mode].deletes) deleted.claim(identityOf(entry), 1);
  }
  const devices = new Set<string>();
  for await (const text of openSnapshot(container, exported).lines()) {
    const id = deviceOfDeleted(text, deleted);
    if (id !== undefined) devices.add(id);
    if (devices.size >= MOST_DEVICES) break;
  }
  return [...devices];
}

/** The device of a module that will be gone, by itself or with its device; those of an edge runtime come by themselves. */
function deviceOfDeleted(text: string, deleted: IdentityTable): string | undefined {
  // Nearly all are devices, and need not be parsed for it.
  if (!text.includes('"moduleId"')) return undefined;
  const { id, moduleId } = JSON.parse(text) as Identity & { readonly moduleId?: string | null };
  if (typeof moduleId !== 'string' || moduleId.startsWith('$')) return undefined;
  return deleted.find(id) !== 0 || deleted.find(identityOf({ id, moduleId })) !== 0 ? id : undefined;
}

async function askAll(
  { now, sleep }: Pick<ProvisioningContext, 'now' | 'sleep'>,
  hub: RegistryClient,
  devices: readonly string[],
): Promise<readonly ModuleManager[]> {
  const until = now().getTime() + WORK_MS;
  const queue = [...devices];
  const managers: ModuleManager[] = [];
  while (queue.length > 0 && now().getTime() < until) {
    const wave = queue.splice(0, AT_ONCE);
    const answers = await Promise.all(wave.map((id) => managersOf(hub, id)));
    managers.push(...answers.flatMap((answer) => (answer === 'trouble' ? [] : answer)));
    const troubled = wave.filter((_id, at) => answers[at] === 'trouble');
    if (troubled.length === 0) continue;
    queue.unshift(...troubled);
    await sleep(REST_MS);
  }
  return managers;
}

/** Of the modules of a device; none where the hub refuses to show them, as of one that is disabled. */
async function managersOf(hub: RegistryClient, id: string): Promise<readonly ModuleManager[] | 'trouble'> {
  try {
    const modules = await hub.listModules(id, { timeoutMs: CALL_MS });
    return modules
      .filter(({ moduleId }) => !moduleId.startsWith('$'))
      .map(({ moduleId, managedBy = null }) => ({ id, moduleId, managedBy }));
  } catch (error) {
    if (!(error instanceof HubKeeperError)) throw error;
    return error instanceof HubError && error.retryable ? 'trouble' : [];
  }
}
