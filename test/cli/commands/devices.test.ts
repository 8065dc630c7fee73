import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { runCli } from '../runCli.ts';

/** An app whose mirror answers each path with what stands here. */
const answers: Record<string, readonly [status: number, body: object]> = {};
const asked: string[] = [];
const app = createServer(({ url = '' }, response) => {
  asked.push(url);
  const [status, body] = answers[url] ?? [404, {}];
  response.writeHead(status).end(JSON.stringify(body));
});
let environment: Record<string, string>;

beforeAll(async () => {
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  const { port } = app.address() as AddressInfo;
  environment = {
    HUBKEEPER_STORAGE: 'UseDevelopmentStorage=true',
    HUBKEEPER_API: `http://127.0.0.1:${port}`,
    HUBKEEPER_API_KEY: 'key',
  };
});
afterAll(() => void app.close());

const cli = (...args: string[]) => runCli(args, environment);
const row = (deviceId: string) => ({ hub: 'default', deviceId, tags: {}, updatedAt: '2026-11-26T10:00:00.000Z' });

describe('devices', () => {
  it('--all --json writes one array on one line, however many pages there are', async () => {
    answers['/devices?status=disabled&limit=1000'] = [200, { rows: [row('a'), row('b')], next: 'b', scanned: 2 }];
    answers['/devices?status=disabled&limit=1000&after=b'] = [200, { rows: [row('c')], scanned: 1 }];
    const { code, stdout } = await cli('devices', '--status', 'disabled', '--all', '--json');
    expect(code).toBe(0);
    expect(stdout).toBe(`${JSON.stringify([row('a'), row('b'), row('c')])}\n`);
  });

  it('tells that there are more, and what the app says of a mirror that is off', async () => {
    answers['/devices?prefix=p&limit=1'] = [200, { rows: [row('p')], next: 'p', scanned: 1 }];
    const error = { code: 'mirrorOff', message: 'The mirror is off: the setting MIRROR_EVENTS names no Event Hub.' };
    answers['/devices/count?'] = [409, { error }];
    const [some, off] = await Promise.all([cli('devices', 'p', '--limit', '1', '--json'), cli('devices', '--count')]);
    expect(JSON.parse(some.stdout)).toEqual([row('p')]);
    expect(some.stderr).toContain('There are more than these 1: --limit N, or --all.');
    expect(off).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('MIRROR_EVENTS') });
  });
});
