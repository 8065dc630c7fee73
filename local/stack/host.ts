import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, startChild } from './childProcess.ts';
import { childEnvironment } from './environment.ts';
import type { Common } from './hub.ts';
import { makeFolder } from './makeFolder.ts';
import { programOf } from './projectRoot.ts';
import { readyObject } from './readyObject.ts';
import { StackError } from './stackError.ts';

export interface HostReady {
  readonly apiUrl: string;
  readonly adminUrl: string;
}

export interface HostStart {
  readonly data: string;
  /** Folder of the app. */
  readonly app: string;
  readonly port: number;
  /** Settings of the app. */
  readonly settings: Readonly<Record<string, string>>;
  /** `true` picks a seed. */
  readonly unkind: boolean | number;
  readonly enableAuth: boolean;
  readonly args: readonly string[];
}

/** The Functions host with the app in it; keys and durable state are in `DATA/host`. */
export function startHost(start: HostStart, common: Common): Promise<Child<HostReady>> {
  const data = join(start.data, 'host');
  makeFolder(data);
  const unkind = start.unkind === true ? ['--unkind'] : start.unkind === false ? [] : [`--unkind=${start.unkind}`];
  return startChild({
    ...common,
    name: 'The Functions host',
    args: [
      programOf('host'),
      start.app,
      '--json',
      ...['--port', String(start.port)],
      ...['--data', data],
      ...unkind,
      ...(start.enableAuth ? ['--enable-auth'] : []),
      ...start.args,
    ],
    cwd: data,
    env: childEnvironment(process.env, start.settings),
    output: 'pipe',
    parseReady: (line) => readyObject<HostReady>(line, ['apiUrl', 'adminUrl']),
  });
}

/** The host makes its keys at its first start; the host key `default` opens every function. */
export function readHostKey(stackData: string): string {
  const path = join(stackData, 'host', 'keys.json');
  const keys = JSON.parse(readFileSync(path, 'utf8')) as { readonly functionKeys?: Readonly<Record<string, string>> };
  const key = keys.functionKeys?.default;
  if (key === undefined) throw new StackError(`${path} holds no host key named default.`);
  return key;
}
