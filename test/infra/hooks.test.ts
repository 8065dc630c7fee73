/** The hooks of azd, each in both of its forms, against a stand-in for `az` that keeps what they change. */

import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { projectRoot } from '../../local/stack/projectRoot.ts';
import { powershellPath } from '../helpers/infraTools.ts';
import { type Call, type FakeAz, type FakeHub, type FakeState, startFakeAz } from './fakeAz.ts';
import { RIGHTS_OF_CLIENTS, RIGHTS_OF_THE_HUB } from './rights.ts';

const HOOKS = join(projectRoot(), 'infra/hooks');
const SHELLS = ['sh', 'pwsh'] as const;

const HUB_ID = '/subscriptions/s/resourceGroups/rg-hubs/providers/Microsoft.Devices/IotHubs/myhub';
const STORAGE_ID = '/subscriptions/s/resourceGroups/rg-dev/providers/Microsoft.Storage/storageAccounts/stdata';
const EVENT_HUB_ID =
  '/subscriptions/s/resourceGroups/rg-dev/providers/Microsoft.EventHub/namespaces/evhns-x/eventhubs/registry-events';

/** What azd has in its environment after a deployment. */
const ENVIRONMENT = {
  AZURE_ENV_NAME: 'dev',
  AZURE_SUBSCRIPTION_ID: 's',
  AZURE_RESOURCE_GROUP: 'rg-dev',
  FUNCTION_APP_NAME: 'func',
  HUBKEEPER_API: 'https://func.azurewebsites.net/api',
  HUBKEEPER_DROP_TOPIC_ID: '/subscriptions/s/resourceGroups/rg-dev/providers/Microsoft.EventGrid/systemTopics/evgt',
  HUBKEEPER_EVENT_HUB_ID: EVENT_HUB_ID,
  HUBKEEPER_EVENTS_NAMESPACE: 'evhns-x.servicebus.windows.net',
  HUBKEEPER_PRINCIPAL_ID: 'principal-of-app',
  HUBKEEPER_STORAGE_AUTH: 'identity',
  HUBKEEPER_STORAGE_ID: STORAGE_ID,
  IOTHUB_NAME: 'myhub',
  IOTHUB_RESOURCE_GROUP: 'rg-hubs',
  PROVISION_CONTAINER: 'provision',
  HUBKEEPER_HOOK_TRIES: '4',
  HUBKEEPER_HOOK_PAUSE: '0',
};

const folder = mkdtempSync(join(tmpdir(), 'hubkeeper-hooks-'));
let fake: FakeAz;
beforeAll(async () => {
  fake = await startFakeAz(folder);
});
afterAll(async () => {
  await fake.stop();
  rmSync(folder, { recursive: true });
});

function hub(more: Partial<FakeHub> = {}): FakeHub {
  const routing = { endpoints: { eventHubs: [] }, routes: [{ name: 'telemetry', source: 'DeviceMessages' }] };
  return {
    id: HUB_ID,
    sku: { name: 'S2', capacity: 3 },
    properties: { hostName: 'myhub.azure-devices.net', routing },
    ...more,
  };
}

/** A hook with its arguments, what it finds in Azure, and what is different in its environment. */
type Step = readonly [
  hook: string,
  values: readonly string[],
  found: Partial<FakeState>,
  environment?: Readonly<Record<string, string>>,
];

interface Ran {
  readonly code: number;
  readonly output: string;
  readonly state: FakeState;
}

function stateOf(found: Partial<FakeState>): FakeState {
  return { calls: [], bodies: [], environment: {}, arguments: [], ...found };
}

/** Runs a hook to its end. */
function run(...[hook, values, found, environment = {}]: Step): Promise<Ran> {
  const state = stateOf(found);
  const env = { HOME: folder, ...ENVIRONMENT, ...environment, ...fake.environmentOf(state) };
  return new Promise((resolve) => {
    const child = execFile('sh', [join(HOOKS, `${hook}.sh`), ...values], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: `${stdout}${stderr}`, state });
    });
    child.stdin?.end();
  });
}

/** Runs hooks one after another in one PowerShell, whose start takes longer than they do. */
async function runInPowerShell(steps: readonly Step[]): Promise<Ran[]> {
  const states = steps.map(([, , found]) => stateOf(found));
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const script = steps.map(([hook, values, , environment], index) => {
    const env = { ...ENVIRONMENT, ...environment, ...fake.environmentOf(states[index] as FakeState) };
    return [
      ...Object.entries(env).map(([name, value]) => `$env:${name} = ${quoted(value)}`),
      `& ${[join(HOOKS, `${hook}.ps1`), ...values].map(quoted).join(' ')}`,
      'Write-Output "--- $LASTEXITCODE"',
    ].join('\n');
  });
  const path = powershellPath ?? '';
  const [program, ...start] = path.endsWith('.dll') ? ['dotnet', path] : [path];
  const values = [...start, '-NoProfile', '-NonInteractive', '-Command', script.join('\n')];
  const env = { ...process.env, POWERSHELL_TELEMETRY_OPTOUT: '1', POWERSHELL_UPDATECHECK: 'Off' };
  const { stdout, stderr } = await promisify(execFile)(program ?? '', values, { env });
  const parts = stdout.split(/^--- (\d*)$/m);
  return states.map((state, index) => ({
    code: Number(parts[index * 2 + 1]),
    output: `${parts[index * 2]}${stderr}`,
    state,
  }));
}

const commands = ({ calls }: FakeState) => calls.map(({ command }) => command);
const grants = ({ calls }: FakeState): Call['options'][] =>
  calls.filter(({ command }) => command === 'role assignment create').map(({ options }) => options);

const KEY = 'abcdefgh-SECRET-0123==';
/** What both forms of the hooks are run through; each shell has states of its own. */
function stepsOf(): Step[] {
  const first = stateOf({ hub: hub(), endpointFailures: 2 });
  return [
    ['hub', ['add'], first],
    ['hub', ['add'], { follows: first, grantError: 'RoleAssignmentExists' }],
    ['hub', ['remove'], { follows: first }],
    ['dropEvents', [], { key: KEY, keyMisses: 1, subscriptionStates: ['Creating', 'Failed', 'Succeeded'] }],
    ['preprovision', [], { hub: hub() }, { IOTHUB_RESOURCE_GROUP: '', VNET_ENABLED: 'true' }],
    ['preprovision', [], { hub: hub() }, { IOTHUB_CREATE: 'true', VNET_ENABLED: '' }],
  ];
}

describe.each(SHELLS)('the hooks for %s', (shell) => {
  const test = it.skipIf(shell === 'pwsh' && powershellPath === undefined);
  let ran: readonly Ran[];

  beforeAll(async () => {
    if (shell === 'sh') {
      const done: Ran[] = [];
      for (const step of stepsOf()) done.push(await run(...step));
      ran = done;
    } else if (powershellPath !== undefined) {
      ran = await runInPowerShell(stepsOf());
    }
  });

  test('give an existing hub its identity, rights, endpoint and routes, and leave the rest of it alone', () => {
    const { code, output, state } = ran[0] as Ran;
    expect(output).toContain('The hub myhub is ready.');
    expect(code).toBe(0);
    expect(commands(state)).toEqual([
      'role assignment create',
      'iot hub identity assign',
      'role assignment create',
      'role assignment create',
      'extension add',
      'iot hub message-endpoint create eventhub',
      'iot hub message-endpoint create eventhub',
      'iot hub message-endpoint create eventhub',
      'iot hub message-route create',
      'iot hub message-route create',
    ]);
    expect(state.hub?.properties.routing).toEqual({
      endpoints: { eventHubs: [{ name: 'hubkeeper-evhns-x' }] },
      routes: [
        { name: 'telemetry', source: 'DeviceMessages' },
        { name: 'hubkeeper-evhns-x-lifecycle', source: 'DeviceLifecycleEvents' },
        { name: 'hubkeeper-evhns-x-twins', source: 'TwinChangeEvents' },
      ],
    });
    const endpoint = state.calls.find(({ command }) => command === 'iot hub message-endpoint create eventhub');
    expect(endpoint?.options).toEqual({
      'hub-name': 'myhub',
      'resource-group': 'rg-hubs',
      subscription: 's',
      'endpoint-name': 'hubkeeper-evhns-x',
      'endpoint-resource-group': 'rg-dev',
      'endpoint-uri': 'sb://evhns-x.servicebus.windows.net',
      'entity-path': 'registry-events',
      identity: '[system]',
      output: 'none',
    });

    const scopes = { hub: HUB_ID, data: STORAGE_ID, eventHub: EVENT_HUB_ID } as const;
    const wanted = [
      ...(RIGHTS_OF_CLIENTS['createRegistryClient'] ?? []).map((right) => ({ ...right, to: 'principal-of-app' })),
      ...RIGHTS_OF_THE_HUB.map((right) => ({ ...right, to: 'principal-of-hub' })),
    ];
    const given = grants(state);
    expect(given.map((one) => [one['assignee-object-id'], one['role'], one['scope']])).toEqual(
      wanted.map(({ to, role, on }) => [to, role, scopes[on as keyof typeof scopes]]),
    );
    // The hub reaches no drop box and no backup.
    const condition = given.find(({ scope }) => scope === STORAGE_ID)?.['condition'];
    expect(condition).toContain("containers:name] StringStartsWith 'hubkeeper-run-'");
    for (const call of ['read', 'write', 'delete', 'add/action', 'move/action']) {
      expect(condition).toContain(
        `!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/${call}'})`,
      );
    }
    expect(given.find(({ scope }) => scope === STORAGE_ID)?.['condition-version']).toBe('2.0');
  });

  test('find all of that there the next time', () => {
    const { code, state } = ran[1] as Ran;
    expect(code).toBe(0);
    expect(new Set(commands(state))).toEqual(new Set(['role assignment create', 'extension add']));
    expect(state.hub).toEqual(ran[0]?.state.hub);
  });

  test('take it away again', () => {
    const { code, state } = ran[2] as Ran;
    expect(code).toBe(0);
    expect(state.hub?.properties.routing).toEqual(hub().properties.routing);
    expect(state.calls.at(-1)?.options).toMatchObject({
      assignee: 'principal-of-app',
      role: 'IoT Hub Data Contributor',
      scope: HUB_ID,
    });
  });

  test('subscribe the app to the drop box once it has a key, which nobody gets to see', () => {
    const { code, output, state } = ran[3] as Ran;
    expect(output).toContain('Files that land in provision start their runs.');
    expect(code).toBe(0);
    expect(commands(state)).toEqual(['rest put', 'rest put']);
    expect(state.calls[0]?.options['url']).toMatch(
      /\/systemTopics\/evgt\/eventSubscriptions\/provision-drops\?api-version=/,
    );
    expect(JSON.parse(state.bodies[0]?.text ?? '')).toEqual({
      properties: {
        destination: {
          endpointType: 'WebHook',
          properties: {
            endpointUrl: `https://func.azurewebsites.net/runtime/webhooks/blobs?functionName=Host.Functions.provisionOnBlob&code=${KEY}`,
          },
        },
        eventDeliverySchema: 'EventGridSchema',
        filter: {
          includedEventTypes: ['Microsoft.Storage.BlobCreated'],
          subjectBeginsWith: '/blobServices/default/containers/provision/',
        },
        retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 },
      },
    });
    expect(state.bodies.map(({ mode, path }) => [mode, existsSync(path)])).toEqual([
      ['600', false],
      ['600', false],
    ]);
    expect(`${output} ${state.arguments.join(' ')}`).not.toContain(KEY);
  });

  test('find out what the hub is like before anything is deployed', () => {
    const { code, output, state } = ran[4] as Ran;
    expect([code, output]).toEqual([0, expect.stringContaining('myhub.azure-devices.net')]);
    expect(state.environment).toEqual({
      IOTHUB_RESOURCE_GROUP: 'rg-hubs',
      IOTHUB_HOST_NAME: 'myhub.azure-devices.net',
      IOTHUB_TIER: 'S2',
      IOTHUB_UNITS: '3',
    });
    expect(state.calls.map(({ command, options }) => `${command} ${options['namespace']}`)).toEqual([
      'provider register Microsoft.App',
    ]);
  });

  test('create no hub again, also where nothing remembers that it was created', () => {
    expect(ran[5]?.state.environment).toMatchObject({
      IOTHUB_CREATE: 'false',
      IOTHUB_NAME: 'myhub',
      IOTHUB_RESOURCE_GROUP: 'rg-dev',
    });
  });
});

describe('the hooks', () => {
  it('give a hub no identity where it needs none', async () => {
    const { state } = await run(
      'hub',
      ['add'],
      { hub: hub() },
      { HUBKEEPER_EVENT_HUB_ID: '', HUBKEEPER_STORAGE_AUTH: 'sas' },
    );
    expect(commands(state)).toEqual(['role assignment create']);
    expect(state.hub).toEqual(hub());
  });

  it('use the identity that a hub has', async () => {
    const mine = hub({ identity: { principalId: 'principal-of-its-own' } });
    const { state } = await run('hub', ['add'], { hub: mine });
    expect(commands(state)).not.toContain('iot hub identity assign');
    expect(grants(state).map((one) => one['assignee-object-id'])).toEqual([
      'principal-of-app',
      'principal-of-its-own',
      'principal-of-its-own',
    ]);
  });

  it('take a hub that was just created for one that exists from then on', async () => {
    const { state } = await run('hub', ['add'], { hub: hub() }, { IOTHUB_CREATE: 'true', IOTHUB_RESOURCE_GROUP: '' });
    expect(state.environment).toEqual({ IOTHUB_CREATE: 'false', IOTHUB_RESOURCE_GROUP: 'rg-dev' });
  });

  it('work on another hub that is named', async () => {
    const { state } = await run('hub', ['add', 'east', 'rg-east'], { hub: hub() }, { IOTHUB_CREATE: 'true' });
    const named = state.calls.filter(({ options }) => 'resource-group' in options);
    expect(new Set(named.map(({ options }) => options['resource-group']))).toEqual(new Set(['rg-east']));
    expect(state.environment).toEqual({});
  });

  it('leave a hub alone that is deleted with the group of the app', async () => {
    const { code, state } = await run('hub', ['remove'], { hub: hub() }, { IOTHUB_RESOURCE_GROUP: 'rg-dev' });
    expect([code, commands(state)]).toEqual([0, []]);
  });

  it.each<[string, string, string[], Partial<FakeState>, Record<string, string>, RegExp]>([
    ['you are not signed in', 'hub', ['add'], { signedOut: true }, {}, /not signed in. Run az login/],
    [
      'nothing was deployed yet',
      'hub',
      ['add'],
      {},
      { HUBKEEPER_STORAGE_ID: '' },
      /HUBKEEPER_STORAGE_ID is not set. Run azd provision/,
    ],
    ['there is no such hub', 'hub', ['add'], {}, {}, /no hub myhub in the resource group rg-hubs/],
    [
      'you may not assign roles',
      'hub',
      ['add'],
      { hub: hub(), grantError: 'AuthorizationFailed' },
      {},
      /Role Based Access Control Administrator\): ERROR: AuthorizationFailed/,
    ],
    [
      'the hub never reaches the event hub',
      'hub',
      ['add'],
      { hub: hub(), endpointFailures: 9 },
      {},
      /does not reach the event hub: ERROR: Unauthorized/,
    ],
    [
      'no hub was named',
      'preprovision',
      [],
      {},
      { IOTHUB_NAME: '' },
      /azd env set IOTHUB_NAME NAME .* or azd env set IOTHUB_CREATE true/,
    ],
    [
      'the hub that was named is not there',
      'preprovision',
      [],
      {},
      { IOTHUB_RESOURCE_GROUP: '' },
      /no hub myhub in the subscription s/,
    ],
    ['the app does not start', 'dropEvents', [], { keyMisses: 9 }, {}, /has not started yet.*azd hooks run postdeploy/],
    [
      'the app does not answer Event Grid',
      'dropEvents',
      [],
      { key: 'k', subscriptionStates: Array(9).fill('Failed') as string[] },
      {},
      /did not answer to Event Grid.*azd hooks run postdeploy/,
    ],
  ])('stop, and say what to do, when %s', async (_, hook, values, state, environment, says) => {
    const { code, output } = await run(hook, values, state, environment);
    expect(output).toMatch(says);
    expect(code).toBe(1);
  });

  it('count a tier without a pace of its own as S1, and ask nothing of a hub that is to be created', async () => {
    const free = await run('preprovision', [], { hub: hub({ sku: { name: 'F1', capacity: 1 } }) });
    expect(free.state.environment).toMatchObject({ IOTHUB_TIER: 'S1', IOTHUB_UNITS: '1' });
    const created = await run('preprovision', [], {}, { IOTHUB_CREATE: 'true' });
    expect([created.code, created.state.environment]).toEqual([0, {}]);
  });
});
