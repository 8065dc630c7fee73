import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';

import { expect, it } from 'vitest';

import { projectRoot } from '../../local/stack/projectRoot.ts';

process.chdir(projectRoot());

it('is the only file that knows OpenTelemetry', () => {
  const knows = /(?:from|import\()\s*'(?:@opentelemetry\/|@azure\/(?:monitor|functions)-opentelemetry)/;
  const files = globSync('{src,cli}/**/*.ts').filter((file) => knows.test(readFileSync(file, 'utf8')));
  expect(files.filter((file) => !file.endsWith('.d.ts'))).toEqual(['src/hosting/openTelemetry.ts']);
});

/** Packages of OpenTelemetry that the app's door to it loads with these settings. */
async function loadedWith(settings: Readonly<Record<string, string>>): Promise<string[]> {
  const script = `
    const { registerHooks } = await import('node:module');
    const loaded = new Set();
    registerHooks({ load: (url, context, next) => (loaded.add(/node_modules\\/(.*opentelemetry[^/]*)/.exec(url)?.[1]), next(url, context)) });
    await import('./dist/src/functions/telemetry.js');
    console.log(JSON.stringify([...loaded].filter(Boolean)));
    process.exit(0);
  `;
  const program = ['--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, program, {
    env: { PATH: process.env['PATH'], ...settings },
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as string[];
}

it('is loaded only where there is a place to send to', async () => {
  const [without, withPlace] = await Promise.all([
    loadedWith({}),
    loadedWith({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }),
  ]);
  expect(without).toEqual([]);
  expect(withPlace).not.toEqual([]);
});
