#!/usr/bin/env node
/**
 * The `hubkeeper` command. This file alone must load on any Node: it looks for a Node that is new enough, everything else
 * is imported after that.
 */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LEAST_MAJOR = 22;
const ASKED = 'HUBKEEPER_NODE_CHOSEN';

if (Number.parseInt(process.versions.node, 10) >= LEAST_MAJOR) {
  const { main } = await import('./program.ts');
  await main(process.argv.slice(2));
} else {
  // A pinned Node that is too old itself must not be asked again.
  const node = process.env[ASKED] === undefined ? pinnedNode() : undefined;
  if (node === undefined) {
    process.stderr.write(
      `hubkeeper needs Node ${LEAST_MAJOR} or newer; this is Node ${process.versions.node}.\n` +
        `Install a newer Node, or run npm ci in the folder of HubKeeper: it brings one along.\n`,
    );
    process.exitCode = 2;
  } else {
    runWith(node);
  }
}

/** The `node` npm package, a development dependency, puts a Node of the right version into node_modules/.bin. */
function pinnedNode(): string | undefined {
  const name = process.platform === 'win32' ? 'node.cmd' : 'node';
  let folder = dirname(fileURLToPath(import.meta.url));
  while (dirname(folder) !== folder) {
    const candidate = join(folder, 'node_modules', '.bin', name);
    if (existsSync(candidate)) return candidate;
    folder = dirname(folder);
  }
  return undefined;
}

function runWith(node: string): void {
  const child = spawn(node, process.argv.slice(1), {
    stdio: 'inherit',
    env: { ...process.env, [ASKED]: '1' },
    shell: process.platform === 'win32',
  });
  // Ctrl-C in a terminal reaches the child by itself; sent to this process alone (no terminal), it has to be passed on.
  process.on('SIGINT', () => {
    if (!process.stdin.isTTY) child.kill('SIGINT');
  });
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`${node} could not be run: ${error.message}\n`);
    process.exitCode = 2;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 3);
  });
}
