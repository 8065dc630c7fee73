/** The `configurations.txt` that goes with a devices file. */

import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';

import {
  type CheckedFile,
  CONFIGURATIONS_FILE,
  ConfigurationsRefused,
  checkConfigurationsFile,
} from '../../src/lib/configurationsFile/checkConfigurationsFile.ts';
import { isConditionFailed } from '../../src/lib/storage/storageErrors.ts';
import { usageError } from '../cliError.ts';
import { renderFinding } from '../render/findingText.ts';
import { formatPlural } from '../render/format.ts';
import type { Output } from '../render/output.ts';
import type { Connection } from './connection.ts';

/**
 * Checks a file of configurations, as a run would.
 * @throws CliError when it cannot be read, or a run would be refused for it
 */
export async function checkConfigurations(path: string): Promise<CheckedFile> {
  try {
    if (!(await stat(path)).isFile()) throw usageError(`${path} is not a regular file.`, 'Give the file itself.');
    return await checkConfigurationsFile(createReadStream(path) as AsyncIterable<Buffer>, path);
  } catch (error) {
    if (error instanceof ConfigurationsRefused) throw usageError(error.message, error.action);
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      throw usageError(`${path}: there is no such file.`, 'Check the name given to --configurations.');
    if (code === 'EACCES' || code === 'EPERM') throw usageError(`${path} may not be read.`, 'Check its permissions.');
    throw error;
  }
}

/**
 * Uploads it into the folder of a drop, before the devices file: that is what starts the run.
 * @throws CliError when there is one already, which is not overwritten
 */
export async function dropConfigurations(connection: Connection, folder: string, path: string): Promise<void> {
  const name = `${folder}/${CONFIGURATIONS_FILE}`;
  const blob = connection.storage.container(connection.provisionContainer).getBlockBlobClient(name);
  try {
    const content = await readFile(path);
    await blob.upload(content, content.length, {
      blobHTTPHeaders: { blobContentType: 'text/plain; charset=utf-8' },
      conditions: { ifNoneMatch: '*' },
    });
  } catch (error) {
    if (!isConditionFailed(error)) throw error;
    throw usageError(
      `The drop box holds ${blob.containerName}/${blob.name} already: nothing was dropped.`,
      'Give another name with --batch, or leave it out.',
    );
  }
}

const PLAIN_FIRST_LINE = 'The first line is plain text, as in an export. Nothing to do.';

/** What there is to say of each line, and the sum. */
export function renderConfigurations(path: string, file: CheckedFile, output: Output): readonly string[] {
  const problems = file.lines.flatMap((line) => {
    if (line.kind === 'rejected') return renderFinding(line, output);
    if (line.kind === 'skipped') return renderFinding({ ...line, reason: PLAIN_FIRST_LINE }, output);
    const { line: number, id, warning: reason } = line;
    return reason === undefined ? [] : renderFinding({ kind: 'warning', line: number, id, reason }, output);
  });
  const rejected = file.rejected === 0 ? '' : `, ${file.rejected} rejected`;
  return ['', ...problems, `${output.style('bold', path)}: ${formatPlural(file.accepted, 'configuration')}${rejected}`];
}

/** As JSON for scripts: the content of a deployment can hold passwords. */
export function withoutContent({ lines, ...counts }: CheckedFile): object {
  const shown = lines.map((line) => {
    if (line.kind !== 'accepted') return line;
    const { configuration: _, ...rest } = line;
    return rest;
  });
  return { ...counts, lines: shown };
}
