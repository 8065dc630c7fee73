import { describe, expect, it } from 'vitest';

import { optionsFromJson, optionsFromMetadata } from '../../../../src/lib/provisioning/drop/dropOptions.ts';
import {
  DEFAULT_OPTIONS,
  OPTIONS,
  type OptionEntry,
  type OptionKind,
} from '../../../../src/lib/provisioning/run/options.ts';

/** Values that each kind of option takes. */
function samplesOf(option: OptionKind): readonly (string | number | boolean)[] {
  switch (option.kind) {
    case 'word':
      return option.words;
    case 'wholeNumber':
      return [0, option.most];
    case 'yesNo':
      return [true, false];
    case 'hubName':
      return ['hub1'];
    default: {
      const never: never = option;
      throw new Error(`no sample for ${JSON.stringify(never)}`);
    }
  }
}

describe.each(Object.entries<OptionEntry>(OPTIONS))('the option %s', (name, option) => {
  it.each(samplesOf(option).map((value) => [value]))('is %s in options.json as in metadata', (value) => {
    const expected = { ...DEFAULT_OPTIONS, [name]: value };
    expect(optionsFromJson(JSON.stringify({ [name]: value }), 'options.json')).toEqual(expected);
    // Storage gives names of metadata in lower case, and every value is text.
    expect(optionsFromMetadata({ [name.toLowerCase()]: String(value) })).toEqual(expected);
  });

  it('has a default that it may be set to, or none', () => {
    if (option.default === undefined) expect(DEFAULT_OPTIONS).not.toHaveProperty(name);
    else expect(optionsFromJson(JSON.stringify({ [name]: option.default }), 'options.json')).toEqual(DEFAULT_OPTIONS);
  });
});
