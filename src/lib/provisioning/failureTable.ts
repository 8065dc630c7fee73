import { createIdentityTable, hashIdentity, identityOf } from '../devicesFile/identityTable.ts';

/**
 * Which identities an error log names, and with which code: a few bytes each, no strings, because a file dropped a
 * second time can fail on every one of a million lines.
 */
export interface FailureTable {
  /** The first error of an identity stands. */
  add(id: string, moduleId: string | undefined, code: number | string): void;
  find(id: string, moduleId: string | undefined): number | string | undefined;
  readonly size: number;
}

export function createFailureTable(seed: number): FailureTable {
  const table = createIdentityTable(hashIdentity, seed);
  const codes: (number | string)[] = [];
  const indexOfCode = new Map<number | string, number>();
  let codeOf = new Uint16Array(1024);
  let size = 0;

  return {
    add(id, moduleId, code) {
      let index = indexOfCode.get(code);
      if (index === undefined) {
        index = codes.push(code) - 1;
        indexOfCode.set(code, index);
      }
      if (table.claim(identityOf({ id, ...(moduleId === undefined ? {} : { moduleId }) }), size + 1) !== 0) return;
      if (size === codeOf.length) {
        const larger = new Uint16Array(codeOf.length * 2);
        larger.set(codeOf);
        codeOf = larger;
      }
      codeOf[size] = index;
      size += 1;
    },
    find(id, moduleId) {
      const ordinal = table.find(identityOf({ id, ...(moduleId === undefined ? {} : { moduleId }) }));
      return ordinal === 0 ? undefined : codes[codeOf[ordinal - 1] ?? 0];
    },
    get size() {
      return size;
    },
  };
}
