import { expect, test } from 'vitest';
import { parseBlobPath } from '../../../../local/host/blob/blobPath.ts';

const cases: { path: string; container?: string; blob: string; expected: Record<string, string> | undefined }[] = [
  { path: 'inbox', blob: 'any/thing.txt', expected: {} },
  { path: 'inbox/{name}', blob: 'a.txt', expected: { name: 'a.txt' } },
  { path: 'inbox/{name}', blob: 'a/b.txt', expected: { name: 'a/b.txt' } },
  { path: 'inbox/{name}', container: 'other', blob: 'a.txt', expected: undefined },
  { path: 'Inbox/{name}', container: 'inbox', blob: 'a.txt', expected: { name: 'a.txt' } },
  { path: 'inbox/{hub}/{name}.txt', blob: 'h/devices.txt', expected: { hub: 'h', name: 'devices' } },
  { path: 'inbox/{hub}/{name}.txt', blob: 'h/devices.csv', expected: undefined },
  { path: 'inbox/{hub}/{name}.txt', blob: 'devices.txt', expected: undefined },
  { path: 'inbox/{a}.{b}', blob: 'x.y.z', expected: { a: 'x.y', b: 'z' } },
  { path: 'inbox/fixed+name.txt', blob: 'fixed+name.txt', expected: {} },
  { path: 'inbox/fixed.txt', blob: 'fixedXtxt', expected: undefined },
];

for (const { path, container = 'inbox', blob, expected } of cases) {
  test(`"${path}" ${expected ? 'takes' : 'leaves'} ${container}/${blob}`, () => {
    expect(parseBlobPath(path).match(container, blob)).toEqual(expected);
  });
}

for (const path of ['{c}/x', 'UPPER_case/x', 'inbox/{a', 'inbox/{a}/{a}', 'ab/x', '/x', `${'c'.repeat(64)}/x`]) {
  test(`path "${path.slice(0, 20)}" is refused`, () => {
    expect(() => parseBlobPath(path)).toThrow(/^path "/);
  });
}
