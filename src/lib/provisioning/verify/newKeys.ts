/**
 * Lines that ask for new keys, when they are read back: that a device is there says nothing then. Only keys that are not
 * those of the pre-image do.
 */

import { identityOf } from '../../devicesFile/identityTable.ts';
import { importModeOf, MODE_RULES } from '../../devicesFile/importMode.ts';
import { primaryKeyOf } from '../../registryLines/primaryKey.ts';
import type { RegistryLine } from '../../registryLines/registryLine.ts';
import type { SnapshotLines } from '../../registryLines/snapshot.ts';
import type { RoundLine } from '../again/rounds.ts';
import type { ProvisionOptions } from '../run/options.ts';

/** So many lines are looked up by one pass over the pre-image: bounds memory. */
const LINES_A_PASS = 20_000;

/** Whether the line has the hub make new keys for a device that may have some. */
export function asksForNewKeys(line: RoundLine, options: ProvisionOptions | undefined): boolean {
  if (options?.missingKeys !== 'regenerate') return false;
  const { mayOverwrite } = MODE_RULES[importModeOf(line)];
  const { type } = (line['authentication'] ?? {}) as { readonly type?: unknown };
  const isSas = type === undefined || String(type).toLowerCase() === 'sas';
  return mayOverwrite && isSas && primaryKeyOf(line) === undefined;
}

/** Of a device that was there without a key: one with a certificate, say. */
const NO_KEY = '';

/**
 * The lines, with the key that each device had before (`keyBefore`), for `agreement`. A device that was not there has
 * none.
 *
 * @param preImage undefined when the run took none: then nothing tells, and the lines are left out
 */
export async function* withKeysBefore(
  lines: AsyncIterable<RoundLine>,
  preImage: SnapshotLines | undefined,
): AsyncGenerator<RoundLine> {
  if (preImage === undefined) return;
  let pass = new Map<string, RoundLine>();
  const finishPass = async function* () {
    const keys = new Map<string, string>();
    for await (const { identity, text } of preImage.find(pass)) {
      keys.set(identity, primaryKeyOf(JSON.parse(text) as RegistryLine) ?? NO_KEY);
    }
    for (const [identity, line] of pass) {
      const keyBefore = keys.get(identity);
      yield keyBefore === undefined ? line : { ...line, keyBefore };
    }
    pass = new Map();
  };
  for await (const line of lines) {
    pass.set(identityOf(line), line);
    if (pass.size === LINES_A_PASS) yield* finishPass();
  }
  if (pass.size > 0) yield* finishPass();
}
