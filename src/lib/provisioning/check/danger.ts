import { countText } from '../../countText.ts';
import type { RegistryClient } from '../../registry/index.ts';
import type { Comparison } from '../../registryLines/compareLines.ts';
import { isConfirmedBy, wrongNameText } from '../../runs/confirmed.ts';
import type { RunError } from '../../runs/runRecord.ts';
import type { ProvisionOptions } from '../run/options.ts';
import { runError } from '../texts/runErrors.ts';
import type { CheckResult } from './checkResult.ts';

/** So many deletes and disables never need a word. */
const HARMLESS = 100;
/** Above that, this part of the registry needs the name of the hub. */
const HARMLESS_PART = 0.1;

/** Why a file that wants no pre-image is stopped until its sender confirms that; undefined when it may go on. */
export function unconfirmedHaste(hub: RegistryClient, options: ProvisionOptions): RunError | undefined {
  if (options.backupFirst !== 'never' || isConfirmedBy(hub, options.confirm)) return undefined;
  const values = { hub: hub.hubName, wrong: wrongNameText(options.confirm) };
  return { ...runError('confirmationNeeded:noCopy', values), confirm: hub.hubName };
}

/** What of a comparison is dangerous. */
export type DangerCounts = Pick<Comparison, 'deletedModules' | 'disabled'> & {
  readonly effects: Pick<Comparison['effects'], 'deleted'>;
};

/**
 * Why a file that deletes or disables a good part of the registry is stopped until its sender confirms it with the name
 * of the hub; undefined when it may go on. Only what exists counts, and of what is disabled only what is enabled now.
 *
 * @param compare compares the file with what is there; left alone when the file could not be dangerous even if all of its
 *   lines met something
 * @throws HubError
 */
export async function unconfirmedDanger(
  hub: RegistryClient,
  check: Pick<CheckResult, 'deletes' | 'disables'>,
  options: ProvisionOptions,
  compare: () => Promise<DangerCounts>,
): Promise<RunError | undefined> {
  const most = check.deletes + check.disables;
  if (most <= HARMLESS || isConfirmedBy(hub, options.confirm)) return undefined;
  const { totalDeviceCount } = await hub.getRegistryStatistics();
  if (!isDangerous(most, totalDeviceCount)) return undefined;
  const counts = await compare();
  if (!isDangerous(counts.effects.deleted + counts.disabled, totalDeviceCount)) return undefined;
  const danger = dangerText(counts, totalDeviceCount);
  const values = { danger, hub: hub.hubName, wrong: wrongNameText(options.confirm) };
  return { ...runError('confirmationNeeded:danger', values), confirm: hub.hubName };
}

/** @param dangerous how many deletes and disables */
export function isDangerous(dangerous: number, registryDevices: number): boolean {
  return dangerous > HARMLESS && dangerous > registryDevices * HARMLESS_PART;
}

export function dangerText({ effects, deletedModules, disabled }: DangerCounts, registryDevices: number): string {
  const deletedDevices = effects.deleted - deletedModules;
  const ofDevices = [
    ...(deletedDevices === 0 ? [] : [`delete ${countText(deletedDevices)}`]),
    ...(disabled === 0 ? [] : [`disable ${countText(disabled)}`]),
  ].join(' and ');
  const modules = `delete ${counted(deletedModules, 'module')}`;
  const registry = `the hub's ${counted(registryDevices, 'device')}`;
  if (ofDevices === '') return `${modules} of ${registry}`;
  return `${ofDevices} of ${registry}${deletedModules === 0 ? '' : ` and ${modules}`}`;
}

function counted(count: number, one: string): string {
  return `${countText(count)} ${one}${count === 1 ? '' : 's'}`;
}
