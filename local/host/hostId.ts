import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import type { Settings } from './settings.ts';

const maximumLength = 32;

/**
 * The id under which the host keeps its receipts, timers and queue: `AzureFunctionsWebHost__hostid`, else the option,
 * else the machine's name and a hash of the app's folder (azure-functions-host, ScriptHostIdProvider.cs).
 *
 * @throws Error when a given id cannot be part of a queue's name.
 */
export function chooseHostId(appDirectory: string, option: string | undefined, settings: Settings): string {
  const given = settings.get('AzureFunctionsWebHost__hostid') ?? option;
  if (given === undefined) {
    const machine = hostname()
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '')
      .slice(0, 19);
    const hash = createHash('sha256')
      .update(appDirectory)
      .digest('hex')
      .slice(0, maximumLength - 20);
    return machine === '' ? hash : `${machine}-${hash}`;
  }
  if (given.length > maximumLength || !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(given)) {
    throw new Error(
      `Host id "${given}" is not usable: up to ${maximumLength} lower-case letters, digits and single hyphens.`,
    );
  }
  return given;
}
