/**
 * Stands in for `az` and `azd` in the tests of the hooks: answers from a state, changes it as Azure would, and notes every
 * call that changes something.
 *
 * The programs are a few lines of bash that hand their arguments to a server in the process of the test: a hook makes some
 * twenty calls, and a Node of its own for each would take longer than all else.
 */

import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';

export interface FakeState {
  /** Absent: there is no such hub. */
  hub?: FakeHub;
  /** The hub as this state has it when this one is first asked. */
  follows?: FakeState;
  signedOut?: true;
  /** What assigning a role fails with. */
  grantError?: string;
  /** How often the hub does not reach the event hub yet. */
  endpointFailures?: number;
  /** How often the app has no key yet. */
  keyMisses?: number;
  key?: string;
  /** What the event subscription is, each time it is asked. */
  subscriptionStates?: string[];
  /** Written by the fake: calls that change something, files that were sent, values that were set. */
  calls: Call[];
  bodies: { readonly text: string; readonly mode: string; readonly path: string }[];
  environment: Record<string, string>;
  /** All arguments of all calls. */
  arguments: string[];
}

export interface FakeHub {
  readonly id: string;
  readonly sku: { readonly name: string; readonly capacity: number };
  identity?: { readonly principalId: string };
  readonly properties: {
    readonly hostName: string;
    readonly routing: {
      readonly endpoints: { eventHubs: { readonly name: string }[] };
      routes: { readonly name: string; readonly source: string }[];
    };
  };
}

export interface Call {
  readonly command: string;
  readonly options: Readonly<Record<string, string>>;
}

/** What a call prints, or what it fails with. */
type Answer = string | { readonly error: string };

const CHANGES: Readonly<Record<string, (state: FakeState, options: Call['options']) => Answer>> = {
  'provider register': () => '',
  'extension add': () => '',
  'iot hub identity assign': ({ hub }) => {
    if (hub !== undefined) hub.identity = { principalId: 'principal-of-hub' };
    return '';
  },
  'role assignment create': ({ grantError }) => (grantError === undefined ? '' : { error: grantError }),
  'role assignment delete': () => '',
  'iot hub message-endpoint create eventhub': (state, options) => {
    if ((state.endpointFailures ?? 0) > 0) {
      state.endpointFailures = (state.endpointFailures ?? 0) - 1;
      return { error: 'Unauthorized: the hub may not send.' };
    }
    state.hub?.properties.routing.endpoints.eventHubs.push({ name: options['endpoint-name'] ?? '' });
    return '';
  },
  'iot hub message-endpoint delete': ({ hub }, options) => {
    if (hub !== undefined) {
      const { endpoints } = hub.properties.routing;
      endpoints.eventHubs = endpoints.eventHubs.filter(({ name }) => name !== options['endpoint-name']);
    }
    return '';
  },
  'iot hub message-route create': ({ hub }, options) => {
    hub?.properties.routing.routes.push({ name: options['route-name'] ?? '', source: options['source'] ?? '' });
    return '';
  },
  'iot hub message-route delete': ({ hub }, options) => {
    if (hub !== undefined) {
      const { routing } = hub.properties;
      routing.routes = routing.routes.filter(({ name }) => name !== options['route-name']);
    }
    return '';
  },
  'rest put': (state, { body = '' }) => {
    const path = body.slice(1);
    const mode = (statSync(path).mode & 0o777).toString(8);
    state.bodies.push({ text: readFileSync(path, 'utf8'), mode, path });
    return '';
  },
};

const QUESTIONS: Readonly<Record<string, (state: FakeState, options: Call['options']) => Answer>> = {
  'account show': ({ signedOut }) => (signedOut === undefined ? '' : { error: 'Please run az login.' }),
  'iot hub show': ({ hub }, options) => {
    if (hub === undefined) return { error: 'ResourceNotFound' };
    return options['output'] === 'json' ? JSON.stringify(hub) : pick(hub, options['query'] ?? '');
  },
  'resource list': ({ hub }, { query }) => hub?.id.split('/').at(query === '[0].name' ? -1 : 4) ?? '',
  'functionapp keys list': (state) => {
    if ((state.keyMisses ?? 0) === 0) return state.key ?? '';
    state.keyMisses = (state.keyMisses ?? 0) - 1;
    return { error: 'The host is not running.' };
  },
  'rest get': (state) => state.subscriptionStates?.shift() ?? 'Succeeded',
};

/** The queries that the hooks ask. */
function pick({ id, identity, sku, properties }: FakeHub, query: string): string {
  const [, list, name] = /(\w+)\[\?name=='([^']*)'\]/.exec(query) ?? [];
  const { endpoints, routes } = properties.routing;
  if (list !== undefined)
    return (list === 'routes' ? routes : endpoints.eventHubs).find((one) => one.name === name)?.name ?? '';
  if (query === 'id') return id;
  if (query === 'identity.principalId') return identity?.principalId ?? '';
  if (query.startsWith('[properties.hostName')) return [properties.hostName, sku.name, sku.capacity].join('\n');
  throw new Error(`No answer to the query ${query}`);
}

/** `iot hub show --name x` → the command, and its options; `--flag` without a value is empty. */
function parse(values: readonly string[]): Call {
  const first = values.findIndex((value) => value.startsWith('--'));
  const command = values.slice(0, first < 0 ? values.length : first).join(' ');
  const options: Record<string, string> = {};
  let name = '';
  for (const value of first < 0 ? [] : values.slice(first)) {
    if (value.startsWith('--')) {
      name = value.slice(2);
      options[name] = '';
    } else {
      options[name] = [options[name], value].filter(Boolean).join(' ');
    }
  }
  return command === 'rest' ? { command: `rest ${options['method']}`, options } : { command, options };
}

function answer(state: FakeState, program: string, values: readonly string[]): Answer {
  if (program === 'azd') {
    const [env, verb, name = '', value = ''] = values;
    if (env === 'env' && verb === 'set') state.environment[name] = value;
    return '';
  }
  const call = parse(values);
  const change = CHANGES[call.command];
  if (change !== undefined) {
    state.calls.push(call);
    return change(state, call.options);
  }
  const question = QUESTIONS[call.command];
  if (question === undefined) throw new Error(`No answer to az ${call.command}`);
  return question(state, call.options);
}

export interface FakeAz {
  /** What a hook has to have in its environment to call the stand-ins, which then work on this state. */
  environmentOf(state: FakeState): Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** @param folder of its own, for the programs */
export async function startFakeAz(folder: string): Promise<FakeAz> {
  const states: FakeState[] = [];
  const server = createServer((socket) => serve(socket, states));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  mkdirSync(folder, { recursive: true });
  for (const program of ['az', 'azd']) {
    const file = join(folder, program);
    writeFileSync(file, programText(program));
    chmodSync(file, 0o755);
  }
  return {
    environmentOf: (state) => ({
      PATH: `${folder}:${process.env['PATH']}`,
      FAKE_AZ_PORT: String(port),
      FAKE_AZ_STATE: String(states.push(state) - 1),
    }),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function programText(program: string): string {
  return `#!/usr/bin/env bash
exec 3<>"/dev/tcp/127.0.0.1/$FAKE_AZ_PORT"
printf '%s\\0' "$#" "$FAKE_AZ_STATE" ${program} "$@" >&3
read -r code <&3
if [ "$code" = 0 ]; then cat <&3; else cat <&3 >&2; fi
exit "$code"
`;
}

/** One call: how many arguments, which state, which program, the arguments; each ends with a zero. */
function serve(socket: Socket, states: readonly FakeState[]): void {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    const [count = '', index = '', program = '', ...rest] = text.split('\0');
    const values = rest.slice(0, -1);
    const state = states[Number(index)];
    if (values.length < Number(count) || rest.length === 0 || state === undefined) return;
    if (state.follows?.hub !== undefined) state.hub ??= structuredClone(state.follows.hub);
    state.arguments.push(...values);
    const answered = answer(state, program, values);
    if (typeof answered === 'string') socket.end(`0\n${answered === '' ? '' : `${answered}\n`}`);
    else socket.end(`1\nERROR: ${answered.error}\n`);
  });
  // A hook that is done with an answer does not wait for its end.
  socket.on('error', () => undefined);
}
