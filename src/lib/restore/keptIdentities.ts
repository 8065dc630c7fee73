/** What a restore does not delete although no line of the backup has it: a line that cannot be compared may be its. */

import type { Said } from '../codeText.ts';
import { countText } from '../countText.ts';
import { createIdentityTable } from '../devicesFile/identityTable.ts';
import type { RejectedIdentityLine } from '../registryLines/compareSnapshots.ts';
import { type KEPT_TEXTS, sayKept } from './restoreTexts.ts';

export interface KeptIdentities {
  /** To be told of each line that is not compared, before it is asked about its device. */
  add(line: RejectedIdentityLine): void;
  /** Whether a device, with its modules, stays. */
  keeps(identity: { readonly id: string }): boolean;
  /** Why so many stay. */
  note(count: number): Kept;
}

/** So many devices and modules stay, for so many lines of the backup that were not compared. */
export interface Kept extends Said<keyof typeof KEPT_TEXTS> {
  readonly count: number;
  readonly lines: number;
}

export function keptIdentities(): KeptIdentities {
  const named = createIdentityTable();
  let lines = 0;
  let keepsAll = false;
  return {
    add({ side, id }) {
      if (side !== 'after') return;
      lines += 1;
      if (id === undefined) keepsAll = true;
      else named.claim(id, 1);
    },
    keeps: ({ id }) => keepsAll || (lines > 0 && named.find(id) !== 0),
    note(count) {
      const filling = { count: countText(count), lines: countText(lines) };
      return { count, lines, ...sayKept(keepsAll ? 'keptByAnyLine' : 'keptByTheirLines', filling) };
    },
  };
}
