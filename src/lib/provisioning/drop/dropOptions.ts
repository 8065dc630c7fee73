import { displayName } from '../../devicesFile/findings.ts';
import { HubKeeperError } from '../../errors.ts';
import { membersOf } from '../../textFile/jsonMembers.ts';
import { DEFAULT_OPTIONS, OPTION_NAMES, OPTIONS, type OptionKind, type ProvisionOptions } from '../run/options.ts';
import { runError } from '../texts/runErrors.ts';

/** The metadata key by which a sender says that its metadata is all the options there are (none follow in a file). */
export const METADATA_MARKER = 'hubkeeper';

/** The metadata key by which a sender names the hub that it means; a drop that lies elsewhere is refused. */
export const METADATA_HUB = 'hub';

/** Metadata that copying tools and mounts write by themselves; it says nothing about a run. */
const TOOL_METADATA =
  /^(hdi_isfolder|mtime|ctime|atime|mode|owner|group|permissions|posix_.*|is_.*|ms_.*|azcopy.*|md5.*|content_md5)$/;

type Read = { readonly value: unknown } | { readonly problem: string };

/** The name of a hub, its host name, or host and port of an emulator. */
const HUB_NAME = /^(?:\[[0-9a-f:]{2,45}\]|[a-z0-9-]{1,50}(?:\.[a-z0-9-]{1,63}){0,8})(?::\d{1,5})?$/i;

/** Reads what stands in metadata, as text, or in JSON; a problem never repeats what was given. */
function readValue(option: OptionKind, given: unknown): Read {
  switch (option.kind) {
    case 'word': {
      const { words } = option;
      const match = words.find((word) => word.toLowerCase() === String(given).toLowerCase());
      return match === undefined ? { problem: `must be one of ${words.join(', ')}` } : { value: match };
    }
    case 'wholeNumber': {
      const { most } = option;
      const parsed = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
      return typeof parsed === 'number' && Number.isInteger(parsed) && parsed >= 0 && parsed <= most
        ? { value: parsed }
        : { problem: `must be a whole number from 0 to ${most}` };
    }
    case 'yesNo': {
      const text = String(given).toLowerCase();
      return text === 'true' || text === 'false' ? { value: text === 'true' } : { problem: 'must be true or false' };
    }
    case 'hubName': {
      // What a sender who means it typed; anything else may be a secret, such as a connection string.
      const name = typeof given === 'string' ? given.trim() : '';
      return HUB_NAME.test(name)
        ? { value: name }
        : { problem: 'must be the name of the hub (what was given is no such name, and is not repeated here)' };
    }
    default: {
      const never: never = option;
      throw new Error(`unknown kind of option ${JSON.stringify(never)}`);
    }
  }
}

/** Options that cannot be taken as they are: the run is refused, with every problem named. */
export class OptionsRefused extends HubKeeperError {
  override readonly name = 'OptionsRefused';
}

/** Whether blob metadata speaks about options at all; if not, `options.json` may. */
export function metadataGivesOptions(metadata: Readonly<Record<string, string>>): boolean {
  return Object.keys(metadata).some((key) => !TOOL_METADATA.test(key.toLowerCase()));
}

/** @throws OptionsRefused */
export function optionsFromMetadata(metadata: Readonly<Record<string, string>>): ProvisionOptions {
  const entries = Object.entries(metadata).filter(
    ([key]) => ![METADATA_MARKER, METADATA_HUB].includes(key.toLowerCase()) && !TOOL_METADATA.test(key.toLowerCase()),
  );
  return readOptions(entries, 'blob metadata', true);
}

/**
 * @param text content of `options.json`
 * @throws OptionsRefused
 */
export function optionsFromJson(text: string, blobName: string): ProvisionOptions {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    // The parser's own message quotes the text, which may hold anything.
    throw new OptionsRefused(runError('optionsNotJson:syntax', { file: blobName }));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OptionsRefused(runError('optionsNotJson:object', { file: blobName }));
  }
  const repeated = repeatedKey(text);
  if (repeated !== undefined) {
    throw new OptionsRefused(runError('optionsTwice', { file: blobName, option: displayName(repeated) }));
  }
  return readOptions(Object.entries(value), blobName, false);
}

/** A parser keeps the last of two: which of them was meant, of `dryRun` say, nobody can tell. */
function repeatedKey(text: string): string | undefined {
  const keys = membersOf(text).map(({ key }) => key);
  return keys.find((key, index) => keys.indexOf(key) !== index);
}

function readOptions(
  entries: readonly (readonly [string, unknown])[],
  source: string,
  ignoreCase: boolean,
): ProvisionOptions {
  const problems: string[] = [];
  let unnamed = 0;
  const options: Record<string, unknown> = { ...DEFAULT_OPTIONS };
  for (const [key, raw] of entries) {
    const name = OPTION_NAMES.find((candidate) =>
      ignoreCase ? candidate.toLowerCase() === key.toLowerCase() : candidate === key,
    );
    if (name === undefined) {
      const near = OPTION_NAMES.find((candidate) => candidate.toLowerCase() === key.toLowerCase());
      // What is no word may be a secret in the wrong place.
      if (displayName(key) !== key) unnamed += 1;
      else problems.push(`unknown option "${key}"${near === undefined ? '' : ` (did you mean ${near}?)`}`);
      continue;
    }
    const read = readValue(OPTIONS[name], raw);
    if ('problem' in read) problems.push(`${name} ${read.problem}`);
    else options[name] = read.value;
  }
  if (unnamed === 1) problems.push('an unknown option whose name is not shown');
  if (unnamed > 1) problems.push(`${unnamed} unknown options whose names are not shown`);
  if (problems.length > 0) {
    throw new OptionsRefused(
      runError('optionsInvalid', { source, problems: problems.join('; '), options: OPTION_NAMES.join(', ') }),
    );
  }
  return options as unknown as ProvisionOptions;
}
