import { describe, expect, it } from 'vitest';

import { type ExtraLine, readExtras } from '../../../src/lib/registryExtras/extraLine.ts';

const read = (...lines: string[]) => Array.fromAsync(readExtras(lines, 'extras.ndjson'));

describe('the lines of extras.ndjson', () => {
  it('are read as they were written', async () => {
    const lines: ExtraLine[] = [
      { kind: 'module', id: 'd', moduleId: 'm', eTag: 'AA==', managedBy: 'somebody "else" ☃' },
      { kind: 'module', id: 'd', moduleId: 'n', eTag: '', managedBy: null },
      { kind: 'edge', id: 'e', deviceScope: 'ms-azure-iot-edge://e-1', parentScopes: ['ms-azure-iot-edge://p-2'] },
      { kind: 'edge', id: 'f', deviceScope: null, parentScopes: [] },
    ];
    expect(await read(...lines.map((line) => JSON.stringify(line)), '')).toEqual(lines);
  });

  it('of later versions are passed over', async () => {
    expect(await read('{"kind":"cloudToDevice","id":"d"}')).toEqual([]);
  });

  it.each([
    ['{"kind":"module"', 'is not JSON'],
    ['["module"]', 'has no kind'],
    ['{"id":"d"}', 'has no kind'],
    ['{"kind":"edge"}', 'has no id'],
    ['{"kind":"module","id":"d","managedBy":null}', 'has no moduleId'],
    ['{"kind":"module","id":"d","moduleId":"m"}', 'has a managedBy that is no text'],
  ])('that are damaged are named: %s', async (line, problem) => {
    await expect(read('{"kind":"edge","id":"e"}', line)).rejects.toMatchObject({
      code: 'extrasUnreadable',
      message: `extras.ndjson cannot be read: line 2 ${problem}.`,
    });
  });
});
