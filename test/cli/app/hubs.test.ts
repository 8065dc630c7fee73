import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, it } from 'vitest';

import type { Connection } from '../../../cli/app/connection.ts';
import { demandHub, demandKnownHub } from '../../../cli/app/hubs.ts';

const command = (...words: readonly string[]) => words.join(' ');
const words = (alias: string) => ['plan', 'FILE', '--to', alias];
const local = (...aliases: readonly string[]) =>
  ({ command, hubs: Object.fromEntries(aliases.map((alias) => [alias, {}])) }) as unknown as Connection;

describe('a command that needs a hub', () => {
  it.each([
    [['default'], undefined],
    [['default', 'west'], 'west'],
    [[], undefined],
    [[], 'of a deployed app'],
  ])('of %j has it with %j', (aliases, hub) => {
    expect(() => demandHub(local(...aliases), hub, words)).not.toThrow();
  });

  it.each([
    [['west', 'default'], undefined, 'The app has 2 hubs: default, west. Which', 'Name it: plan FILE --to ALIAS'],
    [['west', 'default'], 'wset', 'The app has no hub wset. It has: default, west.', 'Name it: plan FILE --to ALIAS'],
    [['default'], 'defualt', 'The app has no hub defualt.', 'Name it: plan FILE --to default'],
  ])('of %j is told with %j how to name it', (aliases, hub, says, action) => {
    const attempt = () => demandHub(local(...aliases), hub, words);
    expect(attempt).toThrow(expect.objectContaining({ message: expect.stringContaining(says), action, exitCode: 2 }));
  });
});

describe('a list that is empty', () => {
  it('is one of a local stack where the hub is one of it', async () => {
    await demandKnownHub(local('default'), undefined);
    await demandKnownHub(local('default'), 'default');
    await expect(demandKnownHub(local('default', 'west'), 'wset')).rejects.toMatchObject({
      exitCode: 2,
      message: 'The app has no hub wset. It has: default, west.',
    });
  });

  it.each<[string, number, object, object | undefined]>([
    [
      'does not have the hub',
      400,
      { error: { message: 'It has: default.' } },
      { exitCode: 2, message: 'It has: default.' },
    ],
    ['has the hub', 200, { backups: [] }, undefined],
    ['is in trouble', 500, {}, undefined],
  ])('is looked into by asking an app that %s', async (_, status, body, error) => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(status).end(JSON.stringify(body));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`;
    const looked = demandKnownHub({ command, api: { url } } as unknown as Connection, 'w&t');
    if (error === undefined) await looked;
    else await expect(looked).rejects.toMatchObject(error);
    expect(asked).toEqual(['/api/backups?hub=w%26t&limit=1']);
    server.close();
  });
});
