/** Why what is compared cannot be put aside on this machine. */

import { bytesText } from '../bytesText.ts';
import { type CodeText, speakerOf } from '../codeText.ts';
import { HubKeeperError } from '../errors.ts';

export const SPILL_TEXTS = {
  temporaryFolderFull: {
    says: 'There is no room left in the temporary folder {folder}. What is compared is put aside there, and takes {need}.',
    action:
      'Make room there, or set TMPDIR to a folder on a larger disk or a mounted share; an app can also have a larger instance size. Then start it again.',
    doc: { says: 'There is no room left in the temporary folder: what is compared is put aside there.' },
  },
  temporaryFolderUnusable: {
    says: 'What is compared cannot be put aside in the temporary folder {folder} ({reason}).',
    action: 'Set TMPDIR to a folder that is there and may be written to, then start it again.',
  },
} as const satisfies Record<string, CodeText>;

const say = speakerOf(SPILL_TEXTS);

/** Codes of the system for a disk, the share of a user in it, or a file that can take no more. */
const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];
const UNUSABLE = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS'];

export function isDiskFull(error: unknown): boolean {
  return FULL.includes(codeOf(error));
}

/**
 * An error of the system that people can do something about, as one of our own; any other as it is.
 *
 * @param expected about how many bytes are put aside in all; undefined: not known
 */
export function spillError(error: unknown, folder: string, expected: number | undefined): unknown {
  if (isDiskFull(error)) {
    const need = expected === undefined ? 'as much as all of it unpacked' : `about ${bytesText(expected)}`;
    return new HubKeeperError(say('temporaryFolderFull', { folder, need }));
  }
  const reason = codeOf(error);
  return UNUSABLE.includes(reason) ? new HubKeeperError(say('temporaryFolderUnusable', { folder, reason })) : error;
}

function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown } | undefined)?.code);
}
