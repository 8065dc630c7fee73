/** The options of a run as flags of `provision` and `check`. */

import { type Command, InvalidArgumentError, Option } from 'commander';

import { IMPORT_MODES, parseImportMode } from '../src/lib/devicesFile/importMode.ts';
import { RUN_STATES, type RunState } from '../src/lib/runs/runRecord.ts';
import type { OptionFlags } from './app/drop.ts';

/** What decides about lines: of use to a run and to a check alike. */
export function addCheckFlags(command: Command): Command {
  return command
    .addOption(importModeOption('for lines that name none (default: createOrUpdate)'))
    .addOption(
      new Option(
        '--on-invalid-line <what>',
        'skip: report them and import the rest; abort: import nothing (default: skip)',
      ).argParser(oneOf(['skip', 'abort'])),
    )
    .addOption(
      new Option('--max-rejects <n>', 'import nothing when more lines than this are invalid').argParser(parseWhole),
    )
    .addOption(
      new Option(
        '--missing-keys <what>',
        'keep: a line without keys never rotates those of an existing device; regenerate: the hub makes new ones (default: keep)',
      ).argParser(oneOf(['keep', 'regenerate'])),
    )
    .addOption(
      new Option(
        '--backup-first <what>',
        'auto: copy what the file overwrites or deletes; never: faster, nothing can be put back, needs a confirmation (default: auto)',
      ).argParser(oneOf(['auto', 'never'])),
    );
}

/** All options of a run. */
export function addOptionFlags(command: Command): Command {
  return addCheckFlags(command)
    .addOption(new Option('--dry-run', 'tell what would happen, in counts and for each line; send nothing to the hub'))
    .addOption(
      new Option(
        '--retry-minutes <n>',
        'how long what fails for a passing reason is tried again (default: 60)',
      ).argParser(parseWhole),
    )
    .addOption(
      new Option(
        '--confirm <hub>',
        "the hub's name: yes, delete or disable that many devices, or go without a copy",
      ).argParser(parseConfirm),
    );
}

export function importModeOption(purpose: string): Option {
  return new Option('--import-mode <mode>', `${purpose}: ${IMPORT_MODES.join(', ')}`).argParser((text) => {
    const mode = parseImportMode(text);
    if (mode === undefined) throw new InvalidArgumentError(`Known modes: ${IMPORT_MODES.join(', ')}.`);
    return mode;
  });
}

/** The option flags among all flags of the command. */
export function optionFlags(flags: OptionFlags): OptionFlags {
  const { importMode, onInvalidLine, maxRejects, missingKeys, backupFirst, dryRun, retryMinutes, confirm } = flags;
  return { importMode, onInvalidLine, maxRejects, missingKeys, backupFirst, dryRun, retryMinutes, confirm };
}

function oneOf(allowed: readonly string[]): (text: string) => string {
  return (text) => {
    if (!allowed.includes(text)) throw new InvalidArgumentError(`It is one of: ${allowed.join(', ')}.`);
    return text;
  };
}

export function parseWhole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

/** As many as the HTTP API gives at once. */
export function parseLimit(text: string): number {
  const limit = parseWhole(text);
  if (limit < 1 || limit > 200) throw new InvalidArgumentError('It must be a whole number from 1 to 200.');
  return limit;
}

export function parsePort(text: string): number {
  const port = parseWhole(text);
  if (port > 65_535) throw new InvalidArgumentError('Ports end at 65535.');
  return port;
}

/** A folder name in the drop box. */
export function parseBatch(text: string): string {
  if (!/^[A-Za-z0-9._-]{1,100}$/.test(text) || /^\.+$/.test(text) || text.endsWith('.')) {
    throw new InvalidArgumentError('Use letters, digits, dots, underscores and hyphens; no dot at the end.');
  }
  return text;
}

export function parseState(text: string): RunState {
  const state = RUN_STATES.find((known) => known.toLowerCase() === text.toLowerCase());
  if (state === undefined) throw new InvalidArgumentError(`Known states: ${RUN_STATES.join(', ')}.`);
  return state;
}

export function parseHub(text: string): string {
  if (!/^[A-Za-z0-9]{1,64}$/.test(text)) throw new InvalidArgumentError('An alias has letters and digits only.');
  return text.toLowerCase();
}

/** It travels in a header. */
function parseConfirm(text: string): string {
  if (!/^[\x21-\x7e]{1,256}$/.test(text)) throw new InvalidArgumentError('It must be the name of the hub.');
  return text;
}
