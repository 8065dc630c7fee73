/** Of which types the cells of a column are: a column that is text in one row and a number in the next is a trap. */

import { displayCell } from '../findings.ts';
import { type CellType, typeOfCell } from './csvCells.ts';

export interface ColumnTypes {
  /**
   * @param json what the cell is taken for
   * @param text the cell as it is written
   */
  add(json: string, text: string, line: number): void;
  /** The types with an example of each, if there is more than one: `"1.10" in line 2 is text, 1.1 in line 3 is a number`. */
  examples(): string | undefined;
  /** One of them is like a number with a comma. */
  hasComma(): boolean;
}

const NAMES: Readonly<Record<CellType, string>> = {
  text: 'text',
  number: 'a number',
  boolean: 'true or false',
  document: 'JSON',
};

const DECIMAL_COMMA = /^-?[0-9]+,[0-9]+$/;

/** @param isSecret whether nothing of the cells may be shown */
export function createColumnTypes(isSecret: boolean): ColumnTypes {
  const seen = new Map<CellType, string>();
  let latest: CellType | undefined;
  let comma = false;
  return {
    add(json, text, line) {
      const type = typeOfCell(json);
      // Nearly always as in the row before.
      if (type === latest) return;
      latest = type;
      if (seen.has(type)) return;
      comma ||= DECIMAL_COMMA.test(text);
      const example = isSecret || type === 'document' ? undefined : displayCell(text);
      const cell = example === undefined ? 'the cell' : type === 'text' ? `"${example}"` : example;
      seen.set(type, `${cell} in line ${line} is ${NAMES[type]}`);
    },
    hasComma: () => comma,
    examples: () => (seen.size < 2 ? undefined : [...seen.values()].join(', ')),
  };
}
