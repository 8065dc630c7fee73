/**
 * The import modes of the ExportImportDevice line format, as the wire spells them (read without regard to case), and all
 * that a mode decides (IoT Hub docs, "Import and export IoT Hub device identities in bulk"). One table: whoever needs to
 * know what a mode does asks it.
 */

/** A mode: what it does, and how a line of it is sent so that it can do no more than that. */
interface ModeEntry {
  /** What becomes of an identity that is not in the registry. */
  readonly absent: 'created' | 'failsMissing' | 'unchanged';
  /** What becomes of one that is. */
  readonly present: 'failsExists' | 'overwritten' | 'twinUpdated' | 'deleted';
  /** It applies to an identity with a given ETag alone; `instead`: the mode that does the same without comparing. */
  readonly needs?: { readonly etag: 'eTag' | 'twinETag'; readonly instead: ImportMode };
  /**
   * The mode that such a line is sent in where it holds something of the registry that may have changed since: what was
   * filled into it, or the twin that it was merged into.
   */
  readonly ifUnchanged?: ImportMode;
  /** The mode that it is sent in again where its identity was not there before. */
  readonly ifAbsent?: ImportMode;
}

const MODES = {
  create: { absent: 'created', present: 'failsExists' },
  createOrUpdate: {
    absent: 'created',
    present: 'overwritten',
    ifUnchanged: 'createOrUpdateIfMatchETag',
    ifAbsent: 'create',
  },
  createOrUpdateIfMatchETag: {
    absent: 'created',
    present: 'overwritten',
    needs: { etag: 'eTag', instead: 'createOrUpdate' },
  },
  update: { absent: 'failsMissing', present: 'overwritten', ifUnchanged: 'updateIfMatchETag' },
  updateIfMatchETag: { absent: 'failsMissing', present: 'overwritten', needs: { etag: 'eTag', instead: 'update' } },
  updateTwin: { absent: 'failsMissing', present: 'twinUpdated', ifUnchanged: 'updateTwinIfMatchETag' },
  updateTwinIfMatchETag: {
    absent: 'failsMissing',
    present: 'twinUpdated',
    needs: { etag: 'twinETag', instead: 'updateTwin' },
  },
  delete: { absent: 'unchanged', present: 'deleted' },
  deleteIfMatchETag: { absent: 'unchanged', present: 'deleted', needs: { etag: 'eTag', instead: 'delete' } },
} as const satisfies Record<string, { readonly [key in keyof ModeEntry]: unknown }>;

export type ImportMode = keyof typeof MODES;

export const IMPORT_MODES = Object.keys(MODES) as readonly ImportMode[];

/** The mode of a line that names none, as a hub reads it. */
export const DEFAULT_IMPORT_MODE: ImportMode = 'createOrUpdate';

export interface ModeRules extends ModeEntry {
  /** The hub writes the identity: keys, status, capabilities. */
  readonly writesIdentity: boolean;
  /** It may write over an identity that exists. */
  readonly mayOverwrite: boolean;
  readonly writesTwin: boolean;
  readonly mayCreate: boolean;
  readonly deletes: boolean;
  /** It merges into the twin that is there. */
  readonly merges: boolean;
  /** It merges, and whatever the twin is by then. */
  readonly patches: boolean;
}

export const MODE_RULES = Object.fromEntries(
  Object.entries<ModeEntry>(MODES).map(([mode, entry]): [string, ModeRules] => {
    const { absent, present, needs } = entry;
    const merges = present === 'twinUpdated';
    const deletes = present === 'deleted';
    return [
      mode,
      {
        ...entry,
        writesIdentity: present === 'failsExists' || present === 'overwritten',
        mayOverwrite: present === 'overwritten',
        writesTwin: !deletes,
        mayCreate: absent === 'created',
        deletes,
        merges,
        patches: merges && needs === undefined,
      },
    ];
  }),
) as Readonly<Record<ImportMode, ModeRules>>;

const BY_LOWER_CASE = new Map<string, ImportMode>(IMPORT_MODES.map((mode) => [mode.toLowerCase(), mode]));

/** The mode that `text` names in any case (`Create`, `updateTwin`), or undefined. */
export function parseImportMode(text: string): ImportMode | undefined {
  return BY_LOWER_CASE.get(text.toLowerCase());
}

/** The mode of a line that has been checked. */
export function importModeOf({ importMode }: { readonly importMode?: string | undefined }): ImportMode {
  return (importMode === undefined ? undefined : parseImportMode(importMode)) ?? DEFAULT_IMPORT_MODE;
}
