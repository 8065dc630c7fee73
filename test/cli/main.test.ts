import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

import { projectRoot } from '../../local/stack/projectRoot.ts';

/** Makes this Node say that it is an old one. */
const pretendOld = `--import=data:text/javascript,${encodeURIComponent(
  'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.1.0" } })',
)}`;

const runOld = (environment: Readonly<Record<string, string>> = {}) =>
  promisify(execFile)(process.execPath, [pretendOld, join(projectRoot(), 'cli', 'main.ts'), '--version'], {
    env: { PATH: process.env['PATH'] ?? '', ...environment },
  });

test('an old Node hands over to the pinned one', async () => {
  const { version } = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as { version: string };
  expect((await runOld()).stdout).toBe(`${version}\n`);
});

test('where no newer Node can be found, the command says so, and never asks itself again', async () => {
  await expect(runOld({ HUBKEEPER_NODE_CHOSEN: '1' })).rejects.toMatchObject({
    code: 2,
    stdout: '',
    stderr:
      'hubkeeper needs Node 22 or newer; this is Node 20.1.0.\nInstall a newer Node, or run npm ci in the folder of HubKeeper: it brings one along.\n',
  });
});
