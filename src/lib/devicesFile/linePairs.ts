/** Pairs of line numbers in eight bytes each, in the order in which they were added. */
export interface LinePairs {
  readonly length: number;
  add(first: number, later: number): void;
  first(index: number): number;
  later(index: number): number;
}

export function createLinePairs(): LinePairs {
  let lines = new Uint32Array(128);
  let length = 0;
  return {
    get length() {
      return length;
    },
    add(first, later) {
      if (length * 2 === lines.length) {
        const larger = new Uint32Array(lines.length * 2);
        larger.set(lines);
        lines = larger;
      }
      lines[length * 2] = first;
      lines[length * 2 + 1] = later;
      length += 1;
    },
    first: (index) => lines[index * 2] ?? 0,
    later: (index) => lines[index * 2 + 1] ?? 0,
  };
}
