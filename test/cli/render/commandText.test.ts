import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

import { describe, expect, it, vi } from 'vitest';

import { commandOf, commandText, type Start, typedCommands } from '../../../cli/render/commandText.ts';

const CHECKOUT = '/home/ann/hubkeeper';
const GLOBAL = '/usr/lib/node_modules/hubkeeper';
const LOCAL = '/home/ann/plant/node_modules/hubkeeper';

function start(root: string, workingFolder: string, change: Partial<Start> = {}): Start {
  return {
    main: `${root}/dist/cli/main.js`,
    root,
    workingFolder,
    environment: { PATH: '/usr/bin:/bin' },
    platform: 'linux',
    realPath: () => undefined,
    ...change,
  };
}

/** The links that `npm install --global` and `npm link` make. */
const linked = (target: string) => (path: string) => (path === '/usr/bin/hubkeeper' ? target : undefined);
const script = (path: string) => (path === '/usr/bin/hubkeeper' ? path : undefined);
const npm = (event: string, INIT_CWD: string) => ({
  PATH: `${CHECKOUT}/node_modules/.bin:/usr/bin:/bin`,
  npm_lifecycle_event: event,
  INIT_CWD,
});

describe('texts name the command that exists where they are read', () => {
  it.each<[string, Start, string]>([
    ['npx in a checkout', start(CHECKOUT, CHECKOUT, { environment: npm('npx', CHECKOUT) }), 'npx hubkeeper'],
    ['npx below a checkout', start(CHECKOUT, `${CHECKOUT}/samples`), 'npx hubkeeper'],
    ['npm run in a checkout', start(CHECKOUT, CHECKOUT, { environment: npm('start', CHECKOUT) }), 'npx hubkeeper'],
    [
      'npm --prefix, from elsewhere',
      start(CHECKOUT, CHECKOUT, { environment: npm('provision', '/home/ann') }),
      `node ${CHECKOUT}/dist/cli/main.js`,
    ],
    ['node in a checkout', start(CHECKOUT, CHECKOUT), 'npx hubkeeper'],
    ['node, from elsewhere', start(CHECKOUT, '/home/ann'), `node ${CHECKOUT}/dist/cli/main.js`],
    ['a folder whose name begins alike', start(CHECKOUT, `${CHECKOUT}2`), `node ${CHECKOUT}/dist/cli/main.js`],
    ['installed globally', start(GLOBAL, '/home/ann', { realPath: linked(`${GLOBAL}/dist/cli/main.js`) }), 'hubkeeper'],
    ['installed globally, behind a script', start(GLOBAL, '/home/ann', { realPath: script }), 'hubkeeper'],
    [
      'a linked checkout, from elsewhere',
      start(CHECKOUT, '/home/ann', { realPath: linked(`${CHECKOUT}/dist/cli/main.js`) }),
      'hubkeeper',
    ],
    [
      'npx in a linked checkout',
      start(CHECKOUT, CHECKOUT, {
        environment: npm('npx', CHECKOUT),
        realPath: linked(`${CHECKOUT}/dist/cli/main.js`),
      }),
      'npx hubkeeper',
    ],
    [
      'a checkout beside another that is installed',
      start(CHECKOUT, CHECKOUT, { realPath: linked(`${GLOBAL}/dist/cli/main.js`) }),
      'npx hubkeeper',
    ],
    [
      'what npm has put on the path is not there in the shell',
      start(CHECKOUT, '/home/ann', {
        environment: npm('npx', '/home/ann'),
        realPath: (path) => (path.includes('/.bin/') ? `${CHECKOUT}/dist/cli/main.js` : undefined),
      }),
      `node ${CHECKOUT}/dist/cli/main.js`,
    ],
    ['a dependency of another package', start(LOCAL, '/home/ann/plant/src'), 'npx hubkeeper'],
  ])('%s', (_, how, name) => {
    expect(commandOf(how, ['run', '0123', '--watch'])).toBe(`${name} run 0123 --watch`);
  });
});

it('from elsewhere, the file that is named is there', () => {
  const folder = vi.spyOn(process, 'cwd').mockReturnValue('/');
  // A script of npm, such as the one that runs the tests, knows where its reader is.
  vi.stubEnv('npm_lifecycle_event', undefined);
  const [, file = ''] = /^node (\S+\/cli\/main\.\w+) runs$/.exec(commandText('runs')) ?? [];
  folder.mockRestore();
  vi.unstubAllEnvs();
  expect(existsSync(file)).toBe(true);
});

describe('arguments are quoted when they need it', () => {
  const inCheckout = start(CHECKOUT, CHECKOUT);
  it.each([
    ['files/devices.txt', 'files/devices.txt'],
    ['my files/devices.txt', "'my files/devices.txt'"],
    ["ann's.txt", "'ann'\\''s.txt'"],
    ['$HOME/`x`', "'$HOME/`x`'"],
    ['a"b', "'a\"b'"],
    ['häuser.csv', "'häuser.csv'"],
    ['', "''"],
  ])('%j for a POSIX shell', (argument, text) => {
    expect(commandOf(inCheckout, ['check', argument])).toBe(`npx hubkeeper check ${text}`);
    expect(execFileSync('sh', ['-c', `printf %s ${text}`], { encoding: 'utf8' })).toBe(argument);
  });

  it('on Windows with double quotes', () => {
    const onWindows = { ...inCheckout, platform: 'win32' as const };
    expect(commandOf(onWindows, ['check', 'C:\\my files\\a.txt', 'C:\\a.txt'])).toBe(
      'npx hubkeeper check "C:\\my files\\a.txt" C:\\a.txt',
    );
  });

  it('the path of the program itself, too', () => {
    expect(commandOf(start('/home/ann/my tools', '/'), ['runs'])).toBe(
      "node '/home/ann/my tools/dist/cli/main.js' runs",
    );
  });
});

describe('commands in a text of the app', () => {
  const command = (...words: readonly string[]) => `npx hubkeeper ${words.join(' ')} --data D`;
  const id = '0123456789abcdef0123';

  it.each([
    ['Take another one: hubkeeper backups lists them.', 'Take another one: npx hubkeeper backups --data D lists them.'],
    ['Make one: hubkeeper backup --hub west; or not.', 'Make one: npx hubkeeper backup --hub west --data D; or not.'],
    [`End it: hubkeeper cancel ${id}. Then look.`, `End it: npx hubkeeper cancel ${id} --data D. Then look.`],
    ['hubkeeper mirror status tells', 'npx hubkeeper mirror status --data D tells'],
    ['Begin one: hubkeeper mirror reconcile --hub a.', 'Begin one: npx hubkeeper mirror reconcile --hub a --data D.'],
    ['by hubkeeper delete-all --configurations.', 'by npx hubkeeper delete-all --configurations --data D.'],
    ['HubKeeper itself failed.', 'HubKeeper itself failed.'],
  ])('%s', (text, typed) => {
    expect(typedCommands(text, command)).toBe(typed);
  });
});
