/** What the check says of one line. */

import type { Note, Problem } from './findings.ts';
import type { ImportMode } from './importMode.ts';

/** What a line that may meet an existing device does not say; importing it as it stands would reset these. */
export type MissingField = 'authentication' | 'status' | 'statusReason' | 'capabilities';

export interface AcceptedLine {
  /** Line number in the file, from 1; blank lines count. */
  readonly line: number;
  readonly id: string;
  readonly moduleId?: string;
  readonly mode: ImportMode;
  /** The line as it goes to the hub: JSON, no newline. */
  readonly text: string;
  /** Only for the modes that overwrite identities. A missing status is written into `text` as "enabled", a filler. */
  readonly missing: readonly MissingField[];
  /**
   * What a device line that writes an identity says of its parent, which is then not in `text`: a device id; null: it is
   * to have none. Not there: it says nothing, and its device keeps what it has.
   */
  readonly parent?: string | null;
  /** It makes an identity where there is none, and is as an export without keys has it: a certificate would get lost. */
  readonly keyless?: true;
}

export type LineVerdict =
  | { readonly kind: 'accepted'; readonly accepted: AcceptedLine; readonly notes: readonly Note[] }
  | {
      readonly kind: 'rejected';
      readonly problems: readonly [Problem, ...Problem[]];
      /** Where the JSON breaks, from 1. */
      readonly column?: number;
      readonly id?: string;
      readonly moduleId?: string;
    }
  | { readonly kind: 'systemModule'; readonly id: string; readonly moduleId: string };
