import { createIdentityTable, identityOf } from '../devicesFile/identityTable.ts';

/**
 * A word or number about each of many identities: a few bytes each, no strings of their own, because a file dropped a
 * second time can fail on every one of a million lines. There are few different words.
 */
export interface IdentityNotes {
  /** The first word about an identity stands. */
  add(id: string, moduleId: string | undefined, code: number | string): void;
  /** The last word about an identity stands. */
  set(id: string, moduleId: string | undefined, code: number | string): void;
  find(id: string, moduleId: string | undefined): number | string | undefined;
  readonly size: number;
  /** The different words. */
  readonly words: readonly (number | string)[];
}

export function createIdentityNotes(): IdentityNotes {
  const table = createIdentityTable();
  const codes: (number | string)[] = [];
  const indexOfCode = new Map<number | string, number>();
  let codeOf = new Uint16Array(1024);
  let size = 0;

  const put = (id: string, moduleId: string | undefined, code: number | string, replace: boolean): void => {
    let index = indexOfCode.get(code);
    if (index === undefined) {
      index = codes.push(code) - 1;
      indexOfCode.set(code, index);
    }
    const earlier = table.claim(identityOf({ id, ...(moduleId === undefined ? {} : { moduleId }) }), size + 1);
    if (earlier !== 0) {
      if (replace) codeOf[earlier - 1] = index;
      return;
    }
    if (size === codeOf.length) {
      const larger = new Uint16Array(codeOf.length * 2);
      larger.set(codeOf);
      codeOf = larger;
    }
    codeOf[size] = index;
    size += 1;
  };

  return {
    add: (id, moduleId, code) => put(id, moduleId, code, false),
    set: (id, moduleId, code) => put(id, moduleId, code, true),
    find(id, moduleId) {
      if (size === 0) return undefined;
      const ordinal = table.find(identityOf({ id, ...(moduleId === undefined ? {} : { moduleId }) }));
      return ordinal === 0 ? undefined : codes[codeOf[ordinal - 1] ?? 0];
    },
    get words() {
      return codes;
    },
    get size() {
      return size;
    },
  };
}
