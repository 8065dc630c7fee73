/** Where a dropped file lies in the drop box: `[hub/][batch/]devices.txt`. */
export interface DropPath {
  /** Alias of the hub; undefined when the path names none of the configured hubs (`problem` says what is wrong). */
  readonly hub?: string;
  /** The folders between the hub and the file; `_` when there are none. */
  readonly batch: string;
  /** Everything up to and including the last slash: where `options.json` lies. */
  readonly folder: string;
  readonly format: 'lines' | 'csv';
  readonly problem?: string;
}

/** `failed-devices.txt` is what a report offers to be corrected and dropped again. */
const DROP_FILE = /^(?:failed-)?devices\.(?:txt|csv)(?:\.gz)?$/;

/** What the name of a dropped file says of its content. */
export function formatOfDrop(blobName: string): DropPath['format'] {
  return /\.csv(?:\.gz)?$/.test(blobName) ? 'csv' : 'lines';
}

/**
 * Reads a blob name of the drop box; undefined when it is not a devices file at all (an `options.json`, a stray file).
 *
 * With one hub configured its folder is optional; with more, the first folder must be an alias, matched without regard
 * to case, so that no file ever reaches a hub that it did not name.
 */
export function parseDropPath(blobName: string, aliases: readonly string[]): DropPath | undefined {
  const parts = blobName.split('/');
  const file = parts.pop() ?? '';
  if (!DROP_FILE.test(file)) return undefined;
  const folder = parts.length === 0 ? '' : `${parts.join('/')}/`;
  const format = formatOfDrop(file);

  const first = parts[0]?.toLowerCase();
  const named = first === undefined ? undefined : aliases.find((alias) => alias === first);
  const only = aliases.length === 1 ? aliases[0] : undefined;
  const hub = named ?? only;
  const folders = named === undefined ? parts : parts.slice(1);
  const batch = folders.length === 0 ? '_' : folders.join('/');
  if (hub !== undefined) return { hub, batch, folder, format };
  const where =
    parts[0] === undefined ? 'the file lies in no folder' : `the folder "${parts[0]}" belongs to none of them`;
  return {
    batch,
    folder,
    format,
    problem: `Several hubs are configured, and ${where}. The first folder must be one of: ${[...aliases].sort().join(', ')}.`,
  };
}
