/** The options of a run, as a table. */

import { IMPORT_MODES } from '../../src/lib/devicesFile/importMode.ts';
import { OPTIONS, type OptionEntry } from '../../src/lib/provisioning/run/options.ts';
import { code, table } from './markdown.ts';

export function renderOptions(): string {
  const rows = Object.entries<OptionEntry>(OPTIONS).map(([name, option]) => {
    const { default: given } = option;
    const fallback = given === undefined ? 'none' : typeof given === 'number' ? String(given) : code(String(given));
    return [code(name), valuesOf(option), fallback, option.meaning];
  });
  return table(['option', 'values', 'default', 'meaning'], rows);
}

function valuesOf(option: OptionEntry): string {
  switch (option.kind) {
    case 'word':
      return option.words === IMPORT_MODES ? 'an import mode' : option.words.map(code).join(', ');
    case 'wholeNumber':
      return `0 to ${option.most}`;
    case 'yesNo':
      return `${code('true')}, ${code('false')}`;
    case 'hubName':
      return 'name of the hub';
    default: {
      const never: never = option;
      throw new Error(`unknown kind of option ${JSON.stringify(never)}`);
    }
  }
}
