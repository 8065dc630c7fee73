/**
 * Lines that ask for new keys, when they are verified: that a device is there says nothing then. Only keys that are not
 * those of the pre-image do.
 */

import { importModeOf, MODE_RULES } from '../../devicesFile/importMode.ts';
import { joinSnapshot } from '../../registryLines/joinSnapshot.ts';
import { primaryKeyOf } from '../../registryLines/primaryKey.ts';
import type { RegistryLine } from '../../registryLines/registryLine.ts';
import type { SnapshotLines } from '../../registryLines/snapshot.ts';
import type { WaveLine } from '../again/waves.ts';
import type { ProvisionOptions } from '../run/options.ts';

/** Whether the line has the hub make new keys for a device that may have some. */
export function asksForNewKeys(line: WaveLine, options: ProvisionOptions | undefined): boolean {
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
  lines: AsyncIterable<string>,
  preImage: SnapshotLines | undefined,
): AsyncGenerator<WaveLine> {
  if (preImage === undefined) return;
  const keyOf = (_line: WaveLine, before: string) => primaryKeyOf(JSON.parse(before) as RegistryLine) ?? NO_KEY;
  for await (const [line, keyBefore] of joinSnapshot(lines, preImage, keyOf)) {
    yield keyBefore === undefined ? line : { ...line, keyBefore };
  }
}
