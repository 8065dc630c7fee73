import { PassThrough } from 'node:stream';

import { afterEach, expect, it, vi } from 'vitest';

import { askName } from '../../../cli/app/askName.ts';

afterEach(() => vi.restoreAllMocks());

function typing(text: string | undefined, end = false) {
  const stdin = new PassThrough();
  vi.spyOn(process, 'stdin', 'get').mockReturnValue(stdin as unknown as typeof process.stdin);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const controller = new AbortController();
  const asked = askName('my-hub', 'This writes.', controller.signal);
  if (text !== undefined) stdin.write(text);
  if (end) stdin.end();
  return { asked, controller };
}

it('takes the name of the hub, in any case', async () => {
  await expect(typing(' My-Hub \n').asked).resolves.toBe('My-Hub');
});

it.each([
  ['another name', 'hub\n', false],
  ['nothing', '\n', false],
  ['the end of the input', undefined, true],
])('goes no further with %s', async (_what, text, end) => {
  await expect(typing(text, end).asked).rejects.toMatchObject({
    exitCode: 2,
    action: expect.stringContaining('my-hub'),
  });
});

it('is interrupted', async () => {
  const { asked, controller } = typing(undefined);
  controller.abort();
  await expect(asked).rejects.toMatchObject({ exitCode: 130 });
});
