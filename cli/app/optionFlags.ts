/** The options of a run as flags of `provision` and `check`. */

import { type Command, InvalidArgumentError, Option } from 'commander';

import { IMPORT_MODES } from '../../src/lib/devicesFile/importMode.ts';
import { OPTION_NAMES, OPTIONS, type OptionEntry } from '../../src/lib/provisioning/run/options.ts';
import { RUN_STATES, type RunState } from '../../src/lib/runs/runRecord.ts';
import { flagName, type OptionFlags } from '../render/commandText.ts';

/** What decides about lines: of use to a run and to a check alike. */
export function addCheckFlags(command: Command): Command {
  return addFlags(command, true);
}

/** All options of a run. */
export function addOptionFlags(command: Command): Command {
  return addFlags(addFlags(command, true), false);
}

function addFlags(command: Command, ofLines: boolean): Command {
  for (const [name, option] of Object.entries<OptionEntry>(OPTIONS)) {
    if ((option.ofLines === true) === ofLines) command.addOption(flagOf(name, option));
  }
  return command;
}

function flagOf(name: string, option: OptionEntry): Option {
  const flag = flagName(name);
  const isSaid = option.default !== undefined && option.default !== false;
  const help = isSaid ? `${option.help} (default: ${option.default})` : option.help;
  switch (option.kind) {
    case 'yesNo':
      return new Option(flag, help);
    case 'word':
      return new Option(`${flag} <${option.called ?? 'what'}>`, help).argParser(oneOf(option.words));
    case 'wholeNumber':
      return new Option(`${flag} <n>`, help).argParser(parseWhole);
    case 'hubName':
      return new Option(`${flag} <hub>`, help).argParser(parseConfirm);
    default: {
      const never: never = option;
      throw new Error(`unknown kind of option ${JSON.stringify(never)}`);
    }
  }
}

export function importModeOption(purpose: string): Option {
  return new Option('--import-mode <mode>', `${purpose}: ${IMPORT_MODES.join(', ')}`).argParser(oneOf(IMPORT_MODES));
}

/** The option flags among all flags of the command. */
export function optionFlags(flags: OptionFlags): OptionFlags {
  return Object.fromEntries(OPTION_NAMES.map((name) => [name, flags[name]]));
}

function oneOf(allowed: readonly string[]): (text: string) => string {
  return (text) => {
    const word = allowed.find((known) => known.toLowerCase() === text.toLowerCase());
    if (word === undefined) throw new InvalidArgumentError(`It is one of: ${allowed.join(', ')}.`);
    return word;
  };
}

export function parseWhole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

export function parseLeastOne(text: string): number {
  const count = parseWhole(text);
  if (count < 1) throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return count;
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
export function parseConfirm(text: string): string {
  if (!/^[\x21-\x7e]{1,256}$/.test(text)) throw new InvalidArgumentError('It must be the name of the hub.');
  return text;
}
