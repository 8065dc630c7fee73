import { FILE_REASONS, type FileRefusedCode } from './fileReasons.ts';
import { findingOf, type ReasonValues } from './reasonText.ts';

/** The file as a whole cannot be a devices file: no line of it is imported. Holds no text of the file. */
export class FileRefused extends Error {
  override readonly name = 'FileRefused';
  readonly code: FileRefusedCode;
  /** What a person can do about it. */
  readonly action: string;
  /** The line at which it was seen, from 1. */
  readonly line: number | undefined;

  constructor(code: FileRefusedCode, where: { readonly line?: number; readonly values?: ReasonValues } = {}) {
    const { reason, action } = findingOf<FileRefusedCode>(FILE_REASONS, code, where.values);
    super(reason);
    this.code = code;
    this.action = action;
    this.line = where.line;
  }
}
