import { Command } from 'commander';
import { describe, expect, it } from 'vitest';

import { addCheckFlags, addOptionFlags, optionFlags } from '../../../cli/app/optionFlags.ts';
import { OPTION_NAMES, OPTIONS, type OptionEntry } from '../../../src/lib/provisioning/run/options.ts';

const namesOf = (command: Command) => command.options.map((option) => option.attributeName());

describe('the flags of a command', () => {
  it('are all options of a run for provision', () => {
    expect(new Set(namesOf(addOptionFlags(new Command())))).toEqual(new Set(OPTION_NAMES));
  });

  it('are those that decide about lines for check', () => {
    const ofLines = Object.entries<OptionEntry>(OPTIONS).flatMap(([name, { ofLines }]) => (ofLines ? [name] : []));
    expect(ofLines).not.toEqual([]);
    expect(namesOf(addCheckFlags(new Command()))).toEqual(ofLines);
  });

  it('give the options, whatever else the command was given', () => {
    const flags = { dryRun: true, importMode: 'update', report: 'folder' } as const;
    expect(optionFlags(flags)).toEqual({ dryRun: true, importMode: 'update' });
  });

  it('take a word in any case, and no other', () => {
    const parse = (...args: string[]) =>
      addOptionFlags(new Command().exitOverride().configureOutput({ writeErr: () => undefined })).parse(args, {
        from: 'user',
      });
    expect(parse('--on-invalid-line', 'ABORT').opts()).toEqual({ onInvalidLine: 'abort' });
    expect(() => parse('--on-invalid-line', 'stop')).toThrow('It is one of: skip, abort.');
  });

  it('tell their defaults', () => {
    const help = addOptionFlags(new Command()).helpInformation();
    expect(help.replace(/\s+/g, ' ')).toContain(
      '--retry-minutes <n> how long transient failures are retried (default: 60)',
    );
  });
});
