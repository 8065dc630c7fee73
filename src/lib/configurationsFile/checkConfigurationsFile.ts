/** The check of a `configurations.txt`, line by line. */

import { createHash } from 'node:crypto';
import { fill } from '../codeText.ts';
import { defined } from '../defined.ts';
import { HubKeeperError } from '../errors.ts';
import type { ConfigurationInput } from '../registry/index.ts';
import { FileRefused } from '../textFile/fileRefused.ts';
import { explainJsonError } from '../textFile/jsonError.ts';
import { readLines } from '../textFile/linePass.ts';
import { refuseOtherFormats } from '../textFile/otherFormats.ts';
import type { ReasonValues } from '../textFile/reasonText.ts';
import { type ConfigurationProblem, checkConfigurationLine, configurationProblem } from './checkConfigurationLine.ts';
import { CONFIGURATION_FILE_REASONS, type ConfigurationFileCode } from './configurationReasons.ts';

/** Name of the blob beside a devices file. */
export const CONFIGURATIONS_FILE = 'configurations.txt';

/** A hub holds 100 configurations at most; so many and so large a file can only be a mistake. All of it is in memory. */
export const MOST_BYTES = 16 * 1024 * 1024;
export const MOST_LINES = 1_000;
const MOST_LINE_BYTES = 1024 * 1024;

/** One line as the check leaves it. */
export type CheckedLine =
  /** The plain-text first line of an export. */
  | { readonly kind: 'skipped'; readonly line: number }
  | {
      readonly kind: 'accepted';
      readonly line: number;
      readonly id: string;
      /** `etag` only where the hub is to compare it. May hold passwords: it stays in staging. */
      readonly configuration: ConfigurationInput;
      /** What in it has no effect. */
      readonly warning?: string;
    }
  | ({ readonly kind: 'rejected'; readonly line: number; readonly id?: string } & ConfigurationProblem);

export interface CheckedFile {
  /** In the order of the file, without blank ones. */
  readonly lines: readonly CheckedLine[];
  readonly accepted: number;
  readonly rejected: number;
  readonly warnings: number;
  readonly sha256: string;
}

/** The file as a whole cannot be taken, and with it nothing of the drop. Holds no text of the file. */
export class ConfigurationsRefused extends HubKeeperError {
  override readonly name = 'ConfigurationsRefused';
}

/** @param file how the file is to be named in the error */
export function refuseConfigurations(
  code: ConfigurationFileCode,
  file: string,
  values: ReasonValues = {},
): ConfigurationsRefused {
  const { says, action } = CONFIGURATION_FILE_REASONS[code];
  return new ConfigurationsRefused({ code, message: fill(says, { file, ...values }), action });
}

/**
 * Checks a `configurations.txt`: one JSON object a line, as export jobs write it.
 *
 * @param file how the file is to be named in errors
 * @throws ConfigurationsRefused when it cannot be read as lines at all, or is too large; whatever `source` throws
 */
export async function checkConfigurationsFile(source: AsyncIterable<Uint8Array>, file: string): Promise<CheckedFile> {
  const lines: CheckedLine[] = [];
  const firstLineOf = new Map<string, number>();
  const sha256 = createHash('sha256');
  const admit = admission(file);
  let seen = 0;

  const reject = (line: number, problems: readonly ConfigurationProblem[], id?: string): void => {
    const [first] = problems;
    if (first === undefined) return;
    const reason = problems.map((problem) => problem.reason).join(' ');
    lines.push({ kind: 'rejected', line, ...defined({ id }), ...first, reason });
  };
  const count = (): void => {
    seen += 1;
    if (seen > MOST_LINES) throw refuseConfigurations('configurationsTooMany', file, { limit: MOST_LINES });
  };
  const take = (line: number, text: string): void => {
    if (seen === 0) refuseOtherFormats(line, text);
    count();
    // Exports may begin with a warning for people (the .NET sample of export and import passes over such lines).
    if (seen === 1 && !text.startsWith('{')) {
      lines.push({ kind: 'skipped', line });
      return;
    }
    const value = parse(text);
    if ('problem' in value) {
      reject(line, [value.problem]);
      return;
    }
    const { id, configuration, problems, notes } = checkConfigurationLine(value.value);
    const first = id === undefined ? undefined : firstLineOf.get(id);
    if (id !== undefined && first === undefined) firstLineOf.set(id, line);
    if (first !== undefined) reject(line, [configurationProblem('duplicate', { first }), ...problems], id);
    else if (configuration === undefined) reject(line, problems, id);
    else {
      const warning = notes.map(({ message }) => message).join(' ');
      const note = warning === '' ? {} : { warning };
      lines.push({ kind: 'accepted', line, id: configuration.id, configuration, ...note });
    }
  };

  try {
    await readLines(
      {
        open: () => source,
        maxLineBytes: MOST_LINE_BYTES,
        headBytes: 0,
        abortSignal: undefined,
        pause: () => undefined,
      },
      {
        dropped(chunk) {
          admit(chunk);
          sha256.update(chunk);
        },
        text: take,
        blank: () => undefined,
        badUtf8(line) {
          count();
          reject(line, [configurationProblem('badUtf8')]);
        },
        longLine(line, _head, length) {
          count();
          reject(line, [configurationProblem('lineTooLong', { length, limit: MOST_LINE_BYTES })]);
        },
      },
    );
  } catch (error) {
    throw error instanceof FileRefused ? unreadable(error, file) : error;
  }
  const accepted = lines.filter((line) => line.kind === 'accepted');
  return {
    lines,
    accepted: accepted.length,
    rejected: lines.filter((line) => line.kind === 'rejected').length,
    warnings: accepted.filter(({ warning }) => warning !== undefined).length,
    sha256: sha256.digest('hex'),
  };
}

/** Refuses a file that is compressed, or too large, by what has come of it so far. */
function admission(file: string): (chunk: Uint8Array) => void {
  let bytes = 0;
  return (chunk) => {
    if (bytes === 0 && chunk[0] === 0x1f && (chunk.length < 2 || chunk[1] === 0x8b)) {
      throw refuseConfigurations('configurationsCompressed', file);
    }
    bytes += chunk.length;
    if (bytes <= MOST_BYTES) return;
    throw refuseConfigurations('configurationsTooLarge', file, { bytes: `more than ${MOST_BYTES}`, limit: MOST_BYTES });
  };
}

function unreadable({ message }: FileRefused, file: string): ConfigurationsRefused {
  const problem = message.replace('The file ', 'it ').replaceAll('a devices file', 'such a file');
  return refuseConfigurations('configurationsUnreadable', file, { problem });
}

function parse(text: string): { readonly value: unknown } | { readonly problem: ConfigurationProblem } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    // The parser's own message quotes the text.
    const { column, problem } = explainJsonError(text);
    const values = { column, problem: problem.replace('a device', 'a configuration') };
    return { problem: configurationProblem('badJson', values) };
  }
}
