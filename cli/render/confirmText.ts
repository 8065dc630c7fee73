/** The command that confirms what was refused for want of a confirmation. */

import { DEFAULT_OPTIONS } from '../../src/lib/provisioning/run/options.ts';
import type { ProvisionRun } from '../../src/lib/provisioning/run/provisionRun.ts';
import type { OptionFlags } from './commandText.ts';
import { type CommandText, flagName, pathFromReader } from './commandText.ts';

/** What a file was dropped with, as far as it is to be dropped with it again: a batch is there already. */
export interface Dropped {
  readonly path: string;
  readonly hub?: string | undefined;
  readonly configurations?: string | undefined;
  readonly report?: string | undefined;
  readonly options: OptionFlags;
}

/** @returns undefined when no confirmation is missing */
export function confirmingCommand(
  { error, options, hub, drop }: ProvisionRun,
  dropped: Dropped | undefined,
  command: CommandText,
): string | undefined {
  if (error?.confirm === undefined) return undefined;
  // Of a run that was dropped by somebody else nobody knows the file.
  const named = hub !== undefined && drop.blobName.toLowerCase().startsWith(`${hub}/`) ? hub : undefined;
  const known: Dropped = dropped ?? { path: 'FILE', hub: named, options: changed(options ?? {}) };
  return command(
    'provision',
    pathArgument(known.path),
    ...flag('hub', known.hub),
    ...flag('configurations', known.configurations && pathFromReader(known.configurations)),
    ...flag('report', known.report && pathFromReader(known.report)),
    ...Object.entries({ ...known.options, confirm: error.confirm }).flatMap(([name, value]) => flag(name, value)),
  );
}

/** The options of a run that somebody has chosen. */
export function changed(options: OptionFlags): OptionFlags {
  const defaults: Readonly<Record<string, unknown>> = { ...DEFAULT_OPTIONS };
  return Object.fromEntries(Object.entries(options).filter(([name, value]) => value !== defaults[name]));
}

function flag(name: string, value: string | number | boolean | undefined): readonly string[] {
  if (value === undefined || value === false) return [];
  const text = flagName(name);
  return value === true ? [text] : [text, String(value)];
}

/** A name that begins with a hyphen would be taken for a flag. */
function pathArgument(path: string): string {
  const fromReader = pathFromReader(path);
  return fromReader.startsWith('-') ? `./${fromReader}` : fromReader;
}
