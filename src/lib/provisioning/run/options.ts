/**
 * The options of a provisioning run, in one table: blob metadata and `options.json` are read by it (`dropOptions.ts`), the
 * flags of the command line and the documentation are made from it.
 */

import { DEFAULT_IMPORT_MODE, IMPORT_MODES } from '../../devicesFile/importMode.ts';

/** What values an option has. */
export type OptionKind =
  | {
      readonly kind: 'word';
      readonly words: readonly string[] /** Placeholder of its flag. */;
      readonly called?: string;
    }
  | { readonly kind: 'wholeNumber'; readonly most: number }
  | { readonly kind: 'yesNo' }
  | { readonly kind: 'hubName' };

export type OptionEntry = OptionKind & {
  /** Absent: nothing is meant where nothing is said. */
  readonly default?: string | number | boolean;
  /** It decides about lines, so that a check before the drop needs it, too. */
  readonly ofLines?: true;
  /** Help for its flag, in one phrase without the default. */
  readonly help: string;
  /** For the documentation, in Markdown. */
  readonly meaning: string;
};

export const OPTIONS = {
  importMode: {
    kind: 'word',
    words: IMPORT_MODES,
    called: 'mode',
    default: DEFAULT_IMPORT_MODE,
    ofLines: true,
    help: `for lines that name none: ${IMPORT_MODES.join(', ')}`,
    meaning: 'For lines that name none.',
  },
  onInvalidLine: {
    kind: 'word',
    words: ['skip', 'abort'],
    default: 'skip',
    ofLines: true,
    help: 'skip: report them and import the rest; abort: import nothing',
    meaning: '`skip` reports invalid lines and imports the rest; `abort` sends nothing if any line is rejected.',
  },
  maxRejects: {
    kind: 'wholeNumber',
    most: 1_000_000_000,
    ofLines: true,
    help: 'import nothing when more lines than this are invalid',
    meaning: 'More rejected lines than this: nothing is sent.',
  },
  missingKeys: {
    kind: 'word',
    words: ['keep', 'regenerate'],
    default: 'keep',
    ofLines: true,
    help: 'keep: a line without keys never rotates those of an existing device; regenerate: the hub makes new ones',
    meaning:
      'What a line without keys does to an existing device: `keep` never rotates its keys, `regenerate` lets the hub make new ones.',
  },
  backupFirst: {
    kind: 'word',
    words: ['auto', 'never'],
    default: 'auto',
    ofLines: true,
    help: 'auto: copy what the file overwrites or deletes; never: faster, nothing can be put back, needs a confirmation',
    meaning:
      '`auto` takes a pre-image before anything but pure creates. `never` takes none: nothing can be put back, lines that leave out what an import would reset are rejected, and it needs `confirm`.',
  },
  dryRun: {
    kind: 'yesNo',
    default: false,
    help: 'tell what would happen, in counts and for each line; send nothing to the hub',
    meaning: 'Say what would happen, and send nothing.',
  },
  retryMinutes: {
    kind: 'wholeNumber',
    most: 7 * 24 * 60,
    default: 60,
    help: 'how long transient failures are retried',
    meaning:
      'How long transient failures are retried: a job that cannot be started, lines that the hub could not apply.',
  },
  confirm: {
    kind: 'hubName',
    help: "the hub's name: yes, delete or disable that many devices, or go without a copy",
    meaning: 'Lets a file go on that deletes or disables much, or goes without a copy.',
  },
} as const satisfies Record<string, OptionEntry>;

export type OptionName = keyof typeof OPTIONS;

type Entry<Name extends OptionName> = (typeof OPTIONS)[Name];
type WithDefault = { [Name in OptionName]: Entry<Name> extends { default: unknown } ? Name : never }[OptionName];
type ValueOf<E> = E extends { words: readonly (infer Word)[] }
  ? Word
  : E extends { kind: 'wholeNumber' }
    ? number
    : E extends { kind: 'yesNo' }
      ? boolean
      : string;

/** The options of a run as it keeps them. */
export type ProvisionOptions = { readonly [Name in WithDefault]: ValueOf<Entry<Name>> } & {
  readonly [Name in Exclude<OptionName, WithDefault>]?: ValueOf<Entry<Name>>;
};

export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[];

export const DEFAULT_OPTIONS = Object.fromEntries(
  Object.entries<OptionEntry>(OPTIONS).flatMap(([name, entry]) => ('default' in entry ? [[name, entry.default]] : [])),
) as unknown as ProvisionOptions;
