import { join } from 'node:path';
import { type Child, type ChildOptions, startChild } from './childProcess.ts';
import { childEnvironment } from './environment.ts';
import { makeFolder } from './makeFolder.ts';
import { programOf } from './projectRoot.ts';
import { readyObject } from './readyObject.ts';

export interface HubReady {
  readonly connectionString: string;
  readonly connectionStrings: Readonly<Record<string, string>>;
  /** Of the built-in event endpoint. */
  readonly eventsConnectionString: string;
  readonly adminUrl: string;
}

export interface HubStart {
  readonly data: string;
  /** Folder below `data` for registry, keys and jobs. */
  readonly part: string;
  readonly name: string;
  readonly ports: { readonly hub: number; readonly hubAdmin: number; readonly hubEvents: number };
  /** Storage that the hub's identity may use. */
  readonly storageConnectionString: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** A live hub has none of its own accord; in a deployment they are part of the infrastructure. */
const ROUTES = ['--lifecycle-events', '--twin-events'];
const MEMBERS = ['connectionString', 'connectionStrings', 'eventsConnectionString', 'adminUrl'] as const;

export type Common = Pick<ChildOptions<unknown>, 'logFile' | 'readyTimeoutMs' | 'onSpawn' | 'signal'>;

/** A hub simulator. */
export function startHub(start: HubStart, common: Common): Promise<Child<HubReady>> {
  const data = join(start.data, start.part);
  makeFolder(data);
  return startChild({
    ...common,
    name: `The hub simulator${start.part === 'hub' ? '' : ` ${start.part}`}`,
    args: [
      programOf('hub'),
      '--json',
      ...['--port', String(start.ports.hub)],
      ...['--admin-port', String(start.ports.hubAdmin)],
      ...['--event-port', String(start.ports.hubEvents)],
      ...['--data', data],
      ...['--name', start.name],
      ...['--identity-storage', start.storageConnectionString],
      ...ROUTES,
      ...start.args,
    ],
    cwd: data,
    env: childEnvironment(process.env, start.environment),
    output: 'pipe',
    parseReady: (line) => readyObject<HubReady>(line, MEMBERS),
  });
}
