/**
 * Modules of edge devices that a hub makes itself, and that no import takes: `$edgeAgent` and `$edgeHub`, which come with
 * the device, and those that a deployment names. They get what they had by `applyConfigurationContent`.
 *
 * Whether that content came to the device by a call of its own or by a deployment for many devices (a configuration)
 * cannot be told from an export, and need not be: it is applied in both cases, before the configurations, and a
 * configuration that targets the device sets the same again when it is restored.
 */

import { createIdentityTable } from '../devicesFile/identityTable.ts';
import { isIdentityLine } from '../registryLines/snapshot.ts';
import { type TwinText, twinOf } from '../registryLines/twinText.ts';
import { memberMap, objectText } from '../textFile/jsonMembers.ts';

/** What an edge device had. The content of a deployment can hold passwords. */
export interface SystemModulesPlan {
  readonly id: string;
  /** Tags and desired properties are JSON as it was written. */
  readonly modules: readonly ({ readonly moduleId: string } & TwinText)[];
}

/** What decides how a module is restored. */
export interface ModuleOrigin {
  readonly moduleId?: string | null;
  readonly authentication?: { readonly type?: string | null } | null;
  /** Of a line that was read by itself; exports have none. */
  readonly managedBy?: string | null;
}

/** Finds the `managedBy` of a module in the extras of a backup. */
export type FindManagedBy = (module: { readonly id: string; readonly moduleId: string }) => string | null | undefined;

/**
 * Whether a module is made by the hub for an edge device, and so not by a line of a devices file: a system module, or one
 * without keys, as only a deployment makes them. Of a keyless backup, `managedBy` has to tell.
 */
export function isMadeByHub(
  { moduleId, authentication }: ModuleOrigin,
  managedBy: () => string | null | undefined,
): boolean {
  if (typeof moduleId !== 'string') return false;
  if (moduleId.startsWith('$')) return true;
  const type = authentication?.type;
  if (typeof type === 'string') return type.toLowerCase() === 'none';
  return managedBy()?.toLowerCase() === 'iotedge';
}

/**
 * What an edge device is to get, from its lines of an export; undefined when it has no such modules.
 *
 * @param lines of one device and its modules
 */
export function planSystemModules(
  lines: readonly string[],
  managedBy: FindManagedBy = () => undefined,
): SystemModulesPlan | undefined {
  const found = lines.flatMap((text) => systemModuleIn(text, managedBy) ?? []);
  const [first] = found;
  if (first === undefined) return undefined;
  const ofDevice = found.filter(({ id }) => id === first.id);
  return { id: first.id, modules: ofDevice.map(({ moduleId, text }) => ({ moduleId, ...twinOf(memberMap(text)) })) };
}

/** The content of a deployment that makes these modules. */
export function contentText({ modules }: SystemModulesPlan): string {
  const content = modules.map(({ moduleId, desired = '{}' }): [string, string] => [
    moduleId,
    objectText([['properties.desired', desired]]),
  ]);
  return objectText([['modulesContent', objectText(content)]]);
}

interface SystemModule {
  readonly id: string;
  readonly moduleId: string;
  readonly text: string;
}

function systemModuleIn(text: string, managedBy: FindManagedBy): SystemModule | undefined {
  // Nearly all lines are of devices, and need not be parsed for it.
  if (!isIdentityLine(text) || !text.includes('"moduleId"')) return undefined;
  const line = JSON.parse(text) as ModuleOrigin & { readonly id: string };
  const { id, moduleId } = line;
  if (typeof moduleId !== 'string') return undefined;
  return isMadeByHub(line, () => line.managedBy ?? managedBy({ id, moduleId })) ? { id, moduleId, text } : undefined;
}

/** Characters of lines that are held at a time. */
const MOST_HELD = 32 * 1024 * 1024;

/**
 * The plans of all edge devices of an export, whatever the order of its lines, in flat memory: it is read once to see how
 * much there is, and then once for each part of the devices that fits.
 *
 * @param open the lines of the export, each time from the first
 */
export async function* planAllSystemModules(
  open: () => AsyncIterable<string> | Iterable<string>,
  managedBy: FindManagedBy = () => undefined,
  mostHeld = MOST_HELD,
): AsyncGenerator<SystemModulesPlan, void, undefined> {
  let held = 0;
  for await (const text of open()) held += systemModuleIn(text, managedBy)?.text.length ?? 0;
  const parts = Math.ceil(held / mostHeld);
  for (let part = 0; part < parts; part += 1) {
    const devices = new Map<string, string[]>();
    const numbers = createIdentityTable();
    let number = 0;
    for await (const text of open()) {
      const module = systemModuleIn(text, managedBy);
      if (module === undefined) continue;
      const before = numbers.claim(module.id, number + 1);
      if (before === 0) number += 1;
      // Every so many-th device that occurs is of this part.
      if ((before === 0 ? number : before) % parts !== part) continue;
      const ofDevice = devices.get(module.id);
      // What arrives with a line would stay in memory as long as any part of it.
      const own = Buffer.from(text).toString();
      if (ofDevice === undefined) devices.set(module.id, [own]);
      else ofDevice.push(own);
    }
    for (const lines of devices.values()) {
      const plan = planSystemModules(lines, managedBy);
      if (plan !== undefined) yield plan;
    }
  }
}
