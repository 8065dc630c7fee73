import type { RegistryClient } from '../registry/index.ts';
import type { ProvisionOptions } from './options.ts';
import type { RunError } from './runRecord.ts';
import type { CheckResult } from './staging.ts';

/** So many deletes and disables never need a word. */
const HARMLESS = 100;
/** Above that, this part of the registry needs the name of the hub. */
const HARMLESS_PART = 0.1;

/** Why a file that wants no pre-image is stopped until its sender confirms that; undefined when it may go on. */
export function unconfirmedHaste(hub: RegistryClient, options: ProvisionOptions): RunError | undefined {
  if (options.backupFirst !== 'never' || isConfirmed(hub, options)) return undefined;
  return {
    code: 'confirmationNeeded',
    message: `With backupFirst never nothing that the file overwrites or deletes is copied first, and nothing of it can be put back: nothing was sent to the hub.${wrongName(options)}`,
    action: `If it is meant, drop it again with the option confirm set to the name of the hub, ${hub.hubName}; else leave backupFirst out.`,
  };
}

function isConfirmed(hub: RegistryClient, { confirm }: ProvisionOptions): boolean {
  return confirm?.toLowerCase() === hub.hubName.toLowerCase();
}

function wrongName({ confirm }: ProvisionOptions): string {
  return confirm === undefined ? '' : ' The name given is another.';
}

/**
 * Why a file that deletes or disables a good part of the registry is stopped until its sender confirms it with the name
 * of the hub; undefined when it may go on.
 *
 * @throws HubError
 */
export async function unconfirmedDanger(
  hub: RegistryClient,
  check: CheckResult,
  options: ProvisionOptions,
): Promise<RunError | undefined> {
  const dangerous = check.deletes + check.disables;
  if (dangerous <= HARMLESS || isConfirmed(hub, options)) return undefined;
  const { totalDeviceCount } = await hub.getRegistryStatistics();
  if (dangerous <= totalDeviceCount * HARMLESS_PART) return undefined;
  return {
    code: 'confirmationNeeded',
    message: `The file ${whatIt(check)} of the hub's ${totalDeviceCount} devices: nothing was sent to the hub.${wrongName(options)}`,
    action: `If it is meant, drop it again with the option confirm set to the name of the hub, ${hub.hubName}.`,
  };
}

function whatIt({ deletes, disables }: CheckResult): string {
  const parts = [
    ...(deletes === 0 ? [] : [`deletes ${deletes}`]),
    ...(disables === 0 ? [] : [`may disable ${disables}`]),
  ];
  return parts.join(' and ');
}
