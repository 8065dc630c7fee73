import { createIdentityTable } from '../devicesFile/identityTable.ts';

/** Values by key, of which few differ: some 20 bytes a key, however long it is. The first value of a key stands. */
export interface ValueTable<Value> {
  set(key: string, value: Value): void;
  find(key: string): Value | undefined;
}

export function createValueTable<Value>(): ValueTable<Value> {
  const table = createIdentityTable();
  const numbers = new Map<Value, number>();
  const values: Value[] = [];
  return {
    set(key, value) {
      let number = numbers.get(value);
      if (number === undefined) {
        number = values.push(value);
        numbers.set(value, number);
      }
      table.claim(key, number);
    },
    find: (key) => values[table.find(key) - 1],
  };
}
