/** Import modes of the ExportImportDevice line format, as the wire spells them (read without regard to case). */
export const IMPORT_MODES = [
  'create',
  'createOrUpdate',
  'createOrUpdateIfMatchETag',
  'update',
  'updateIfMatchETag',
  'updateTwin',
  'updateTwinIfMatchETag',
  'delete',
  'deleteIfMatchETag',
] as const;

export type ImportMode = (typeof IMPORT_MODES)[number];

const BY_LOWER_CASE = new Map<string, ImportMode>(IMPORT_MODES.map((mode) => [mode.toLowerCase(), mode]));

/** The mode that `text` names in any case (`Create`, `updateTwin`), or undefined. */
export function parseImportMode(text: string): ImportMode | undefined {
  return BY_LOWER_CASE.get(text.toLowerCase());
}

/** The mode of a line that has been checked; one that names none is for `createOrUpdate`, as a hub reads it. */
export function importModeOf({ importMode }: { readonly importMode?: string | undefined }): ImportMode {
  return (importMode === undefined ? undefined : parseImportMode(importMode)) ?? 'createOrUpdate';
}
