/**
 * The lines of `extras.ndjson`: what a registry holds, an export leaves out and a restore needs.
 *
 * Exports have no `managedBy` of modules, and those of some hubs no parents of edge devices.
 */

import { RefusedInputError } from '../errors.ts';
import { asObject, asString, asStrings } from '../registry/reader.ts';
import { extrasText } from './extrasTexts.ts';

export interface ModuleExtra {
  readonly kind: 'module';
  readonly id: string;
  readonly moduleId: string;
  /** Of the identity when it was read: as long as a module has it, it has this `managedBy`. */
  readonly eTag: string;
  /** Null: the module is known to have none, and need not be asked for again. */
  readonly managedBy: string | null;
}

export interface EdgeExtra {
  readonly kind: 'edge';
  readonly id: string;
  /** Its own, as the hub made it. */
  readonly deviceScope: string | null;
  /** That of its parent; empty: it has none. */
  readonly parentScopes: readonly string[];
}

export type ExtraLine = ModuleExtra | EdgeExtra;

/**
 * The extras of a backup. Kinds that are not known, as a later version may write, are passed over.
 *
 * @param file how it is to be named in the error
 * @throws RefusedInputError `extrasUnreadable`
 */
export async function* readExtras(
  lines: AsyncIterable<string> | Iterable<string>,
  file: string,
): AsyncGenerator<ExtraLine, void, undefined> {
  let line = 0;
  for await (const text of lines) {
    line += 1;
    if (text.trim() === '') continue;
    const extra = parseExtra(text);
    if (typeof extra === 'string')
      throw new RefusedInputError(extrasText('extrasUnreadable', { file, line, problem: extra }));
    if (extra !== undefined) yield extra;
  }
}

/** The line; undefined for a kind that is not known; or what is wrong with it. */
function parseExtra(text: string): ExtraLine | string | undefined {
  let fields: ReturnType<typeof asObject>;
  try {
    fields = asObject(JSON.parse(text));
  } catch {
    return 'is not JSON';
  }
  const id = asString(fields?.['id']);
  const kind = asString(fields?.['kind']);
  if (fields === undefined || kind === undefined) return 'has no kind';
  if (kind !== 'module' && kind !== 'edge') return undefined;
  if (id === undefined) return 'has no id';
  if (kind === 'edge') {
    const parentScopes = asStrings(fields['parentScopes']) ?? [];
    return { kind, id, deviceScope: asString(fields['deviceScope']) ?? null, parentScopes };
  }
  const moduleId = asString(fields['moduleId']);
  const managedBy = fields['managedBy'];
  if (moduleId === undefined) return 'has no moduleId';
  if (managedBy !== null && typeof managedBy !== 'string') return 'has a managedBy that is no text';
  return { kind, id, moduleId, eTag: asString(fields['eTag']) ?? '', managedBy };
}
