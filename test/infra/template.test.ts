/** The templates, as the compiler of Bicep understands them, against the code that they are to run. */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { projectRoot } from '../../local/stack/projectRoot.ts';
import { DEFAULT_HUB_ALIAS, readSettings, SETTINGS, type Setting, type Settings } from '../../src/lib/settings.ts';
import * as containers from '../../src/lib/storage/containers.ts';
import { METRICS } from '../../src/lib/telemetry/metrics.ts';
import { type Bicep, type Compiled, type Resource, SUBSCRIPTION, startBicep, type Template } from '../helpers/bicep.ts';
import { bicepPath } from '../helpers/infraTools.ts';
import {
  CONNECTION_PARTS,
  environmentOf,
  REFUSED_BY_FLEX,
  SETTINGS_OF_THE_PLATFORM,
  settingsOf,
} from './appSettings.ts';
import { RIGHTS_OF_THE_APP, ROLE_IDS, type Scope, textOf } from './rights.ts';

process.chdir(projectRoot());

const MAIN = join(projectRoot(), 'infra/main.bicep');
const FILES = globSync('infra/*.bicep').toSorted();

/** What is deployed: as it is by default, with all that can be chosen, and with as little as can be. */
const CHOICES = {
  usual: { hubName: 'myhub' },
  all: {
    createHub: true,
    hubTier: 'S2',
    hubUnits: 3,
    vnetEnabled: true,
    alertEmail: 'somebody@example.com',
    operatorPrincipalId: '00000000-0000-0000-0000-0000000000e1',
    settings: { PROVISION_CONTAINER: 'drops', MIRROR_TABLE: 'fleet', BACKUP_KEYS: 'exclude' },
  },
  least: { hubName: 'myhub', mirror: false, storageAuth: 'sas', backupAlertHours: 0 },
} as const;
type Choice = keyof typeof CHOICES;

let bicep: Bicep;
let compiled: Compiled;
const deployed = {} as Record<Choice, readonly Resource[]>;

describe.skipIf(bicepPath === undefined)('the templates', () => {
  beforeAll(async () => {
    bicep = startBicep(bicepPath ?? '');
    compiled = await bicep.compile(MAIN);
    // With an error nothing can be evaluated; what the linter remarks has a test of its own.
    const errors = compiled.diagnostics.filter(({ level }) => level === 'Error');
    if (errors.length > 0) throw new Error(errors.map(({ source, message }) => `${source}: ${message}`).join('\n'));
    for (const [choice, parameters] of Object.entries(CHOICES)) {
      const common = { environmentName: 'dev', location: 'westeurope' };
      deployed[choice as Choice] = await bicep.resources(MAIN, { ...common, ...parameters });
    }
  });

  afterAll(() => bicep.stop());

  describe('as a whole', () => {
    it('compile without an error, a warning or a remark of the linter', () => {
      expect(compiled.diagnostics).toEqual([]);
    });

    it('are judged by every rule of the linter but the one that depends on the day', () => {
      const rules = readFileSync('infra/bicepconfig.json', 'utf8').matchAll(/"([a-z-]+)": \{ "level": "(\w+)" \}/g);
      const levels = Array.from(rules, ([, rule, level]) => `${rule} ${level}`);
      expect(levels.length).toBeGreaterThan(40);
      expect(levels.filter((line) => !line.endsWith(' error'))).toEqual(['use-recent-api-versions off']);
    });

    it('are formatted', async () => {
      const formatted = await Promise.all(FILES.map((file) => bicep.format(join(projectRoot(), file))));
      expect(FILES.filter((file, index) => readFileSync(file, 'utf8') !== formatted[index])).toEqual([]);
    });

    it('use no module of a registry, so that they compile without any', () => {
      const modules = FILES.flatMap((file) => readFileSync(file, 'utf8').match(/^(?:module|import|using) .*$/gm) ?? []);
      expect(modules.length).toBeGreaterThan(8);
      expect(modules.filter((line) => !/'\w+\.bicep'/.test(line))).toEqual([]);
    });

    // azd down deletes each group that a deployment has put something into.
    it.each(choices())('put nothing into a resource group but their own (%s)', (choice) => {
      const own = [
        `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg-dev/`,
        `[resourceId('${SUBSCRIPTION}', 'rg-dev', `,
      ];
      const ids = deployed[choice].map(({ id }) => `${id}/`);
      expect(ids.filter((id) => !own.some((start) => id.startsWith(start)))).toEqual([]);
    });

    it.each([
      [{}, 'Give hubName, or createHub'],
      [{ hubName: 'myhub', vnetEnabled: true, storageAuth: 'sas' }, 'vnetEnabled needs storageAuth identity'],
    ])('refuse choices that cannot work: %o', async (parameters, says) => {
      const common = { environmentName: 'dev', location: 'westeurope' };
      await expect(bicep.resources(MAIN, { ...common, ...parameters })).rejects.toThrow(says);
    });

    it('mark what they make, so that azd finds it', () => {
      const unmarked = deployed.all.filter(({ location, tags }) => location !== undefined && !tags?.['azd-env-name']);
      expect(unmarked.map(({ id }) => id)).toEqual([]);
      expect(one('all', 'Microsoft.Web/sites')['tags']['azd-service-name']).toBe('app');
    });

    it('get their parameters from the environment of azd', () => {
      const { parameters } = JSON.parse(readFileSync('infra/main.parameters.json', 'utf8')) as {
        parameters: Record<string, { value: unknown }>;
      };
      const known = compiled.template.parameters ?? {};
      expect(Object.keys(parameters).filter((name) => known[name] === undefined)).toEqual([]);
      const required = Object.keys(known).filter((name) => known[name]?.defaultValue === undefined);
      expect(required.filter((name) => parameters[name] === undefined)).toEqual([]);
      // A value that azd does not know is to be the default of the template.
      for (const [name, { value }] of Object.entries(parameters)) {
        const [, otherwise] = /^\$\{\w+=(.*)\}$/.exec(String(value)) ?? [];
        if (otherwise !== undefined) expect(`${name} ${otherwise}`).toBe(`${name} ${known[name]?.defaultValue}`);
      }
    });

    it('have all their parameters in the documentation', () => {
      const page = readFileSync('docs/azure.md', 'utf8');
      const told = Array.from(page.matchAll(/^\| `(\w+)` \| (?:`[A-Z_]+`|–) \|/gm), ([, name]) => name);
      expect(told.toSorted()).toEqual(Object.keys(compiled.template.parameters ?? {}).toSorted());
    });
  });

  describe('keep secrets out', () => {
    const SECRET = /key|secret|password|token|connectionstring|credential|sas$/i;

    it('of parameters that are not secure, and of outputs', () => {
      const parts = templatesIn(compiled.template);
      expect(parts.length).toBeGreaterThan(8);
      const parameters = parts.flatMap((template) => Object.entries(template.parameters ?? {}));
      const open = parameters.filter(([name, { type }]) => SECRET.test(name) && !/^secure/i.test(type ?? ''));
      expect(open.map(([name]) => name)).toEqual([]);
      const outputs = parts.flatMap((template) => Object.entries(template.outputs ?? {}));
      expect(outputs.filter(([name]) => SECRET.test(name)).map(([name]) => name)).toEqual([]);
      expect(JSON.stringify(outputs)).not.toMatch(/\blist[A-Z]\w*\(/);
    });

    it('of everything else: no key of any resource is ever asked for', () => {
      expect(JSON.stringify(compiled.template)).not.toMatch(/\blist[A-Z]\w*\(/);
    });

    it.each(choices())('of the settings of the app (%s)', (choice) => {
      const settings = Object.entries(settingsOf(deployed[choice]));
      const named = settings.filter(([name]) => SECRET.test(name.replaceAll('_', ''))).map(([name]) => name);
      // How a connection proves who it is; where telemetry is sent; whether backups hold keys.
      const harmless = /__credential$|^APPLICATIONINSIGHTS_CONNECTION_STRING$|^BACKUP_KEYS$/;
      expect(named.filter((name) => !harmless.test(name))).toEqual([]);
      expect(settings.filter(([, value]) => /AccountKey|SharedAccess|[?&]sig=|;\w*Key=/i.test(value))).toEqual([]);
      expect(one(choice, 'Microsoft.Insights/components').properties.DisableLocalAuth).toBe(true);
    });

    it('by closing everything to keys and passwords', () => {
      const storage = all('all', 'Microsoft.Storage/storageAccounts');
      expect(storage.map(({ properties }) => properties.allowSharedKeyAccess)).toEqual([false, false]);
      expect(storage.map(({ properties }) => properties.allowBlobPublicAccess)).toEqual([false, false]);
      const open = all('all', 'Microsoft.Storage/storageAccounts/blobServices/containers').filter(
        ({ properties }) => properties.publicAccess !== 'None',
      );
      expect(open).toEqual([]);
      expect(one('all', 'Microsoft.EventHub/namespaces').properties.disableLocalAuth).toBe(true);
      expect(one('all', 'Microsoft.Devices/IotHubs').properties.disableLocalAuth).toBe(true);
      expect(one('all', 'Microsoft.OperationalInsights/workspaces').properties.features.disableLocalAuth).toBe(true);
      const publishing = all('all', 'Microsoft.Web/sites/basicPublishingCredentialsPolicies');
      expect(publishing.map(({ name, properties }) => [name.split('/').at(-1), properties.allow])).toEqual([
        ['ftp', false],
        ['scm', false],
      ]);
    });
  });

  describe('set the settings of the app', () => {
    it.each(choices())('to what it knows, and to nothing else (%s)', (choice) => {
      const known = new Set<string>([...Object.keys(SETTINGS), ...SETTINGS_OF_THE_PLATFORM]);
      for (const [name, parts] of Object.entries(CONNECTION_PARTS)) {
        for (const part of parts) known.add(`${name}__${part}`);
      }
      const names = Object.keys(settingsOf(deployed[choice]));
      expect(names.filter((name) => !known.has(name))).toEqual([]);
      expect(names.filter((name) => REFUSED_BY_FLEX.includes(name))).toEqual([]);
      expect(SETTINGS_OF_THE_PLATFORM.filter((name) => !names.includes(name))).toEqual([]);
    });

    it.each(choices())('so that each that it needs is there, or has a default (%s)', (choice) => {
      const names = Object.keys(settingsOf(deployed[choice]));
      const missing = Object.entries<Setting>(SETTINGS).flatMap(([name, setting]) => {
        if (REFUSED_BY_FLEX.includes(name) || names.includes(name)) return [];
        const parts = CONNECTION_PARTS[name]?.map((part) => `${name}__${part}`) ?? [];
        // A connection is there with all its parts, or not at all.
        if (parts.some((part) => names.includes(part))) return parts.filter((part) => !names.includes(part));
        return setting.default === undefined && setting.without === undefined ? [name] : [];
      });
      expect(missing).toEqual([]);
    });

    it('so that the app understands them', () => {
      const read = (choice: Choice): Settings => readSettings(environmentOf(settingsOf(deployed[choice])));
      const identity = { kind: 'identity', clientId: '00000000-0000-0000-0000-0000000000c1' };
      expect(read('usual')).toMatchObject({
        storageConnectionName: 'HUBKEEPER_STORAGE',
        storage: {
          ...identity,
          blobServiceUri: 'https://account.blob.core.windows.net/',
          tableServiceUri: 'https://account.table.core.windows.net/',
        },
        storageAuth: 'identity',
        blobTriggerSource: 'EventGrid',
        provisionContainer: 'provision',
        mirror: {
          table: 'hubkeepermirror',
          sources: [
            {
              connection: { ...identity, fullyQualifiedNamespace: 'ns.servicebus.windows.net' },
              eventHub: 'registry-events',
              consumerGroup: 'hubkeeper',
            },
          ],
        },
      });
      expect(read('usual').hubs).toEqual(new Map([[DEFAULT_HUB_ALIAS, 'myhub.azure-devices.net']]));
      expect(read('all').hubs).toEqual(new Map([[DEFAULT_HUB_ALIAS, 'newhub.azure-devices.net']]));
      expect(read('all').hubSizes).toEqual(new Map([[DEFAULT_HUB_ALIAS, { tier: 'S2', units: 3 }]]));
      expect(read('all')).toMatchObject({ provisionContainer: 'drops', backups: { keys: 'excluded' } });
      expect(read('least')).toMatchObject({ storageAuth: 'sas', hubs: read('usual').hubs });
      expect(read('least').mirror).toBeUndefined();
    });

    it('with Node where this plan has it', () => {
      const { functionAppConfig } = one('usual', 'Microsoft.Web/sites').properties;
      const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
      expect(functionAppConfig.runtime.name).toBe('node');
      expect(engines.node).toBe(`>=${functionAppConfig.runtime.version}`);
      expect(one('usual', 'Microsoft.Web/serverfarms')['sku']).toEqual({ name: 'FC1', tier: 'FlexConsumption' });
    });
  });

  describe('make what the app works with', () => {
    it.each(choices())('containers, queues and tables by the names in the code and the settings (%s)', (choice) => {
      const { provisionContainer, mirror } = readSettings(environmentOf(settingsOf(deployed[choice])));
      const fixed = Object.entries(containers).flatMap(([name, value]) => {
        return name.endsWith('_CONTAINER') && typeof value === 'string' ? [value] : [];
      });
      expect(fixed.length).toBeGreaterThan(3);
      expect(inData(choice, 'blobServices/containers')).toEqual([provisionContainer, ...fixed].toSorted());
      // Where the blob trigger puts what has failed too often.
      expect(inData(choice, 'queueServices/queues')).toEqual(['webjobs-blobtrigger-poison']);
      expect(inData(choice, 'tableServices/tables')).toEqual(mirror === undefined ? [] : [mirror.table]);
    });

    it('the package of the app in a container of the host', () => {
      const { storage } = one('usual', 'Microsoft.Web/sites').properties.functionAppConfig.deployment;
      expect(storage.authentication.type).toBe('UserAssignedIdentity');
      expect(storage.value).toMatch(/'\{0\}app-package'.*\/sthost\w+'.*primaryEndpoints\.blob\)\]$/);
      const host = all('usual', 'Microsoft.Storage/storageAccounts/blobServices/containers').map(({ id }) => id);
      expect(host.filter((id) => /\/sthost\w+\/.*\/app-package$/.test(id))).toHaveLength(1);
    });

    it('an event hub with a consumer group of its own, where something is mirrored', () => {
      expect(one('usual', 'Microsoft.EventHub/namespaces/eventhubs/consumergroups').name).toMatch(/\/hubkeeper$/);
      expect(all('least', 'Microsoft.EventHub/namespaces')).toEqual([]);
    });

    it('a topic for the files that land in the data account', () => {
      const { source, topicType } = one('usual', 'Microsoft.EventGrid/systemTopics').properties;
      expect(topicType).toBe('Microsoft.Storage.StorageAccounts');
      expect(source).toMatch(/\/storageAccounts\/stdata\w+$/);
    });

    it('a hub only when asked to, with an identity, and with no routes: those are given to it afterwards', () => {
      expect(all('usual', 'Microsoft.Devices/IotHubs')).toEqual([]);
      const hub = one('all', 'Microsoft.Devices/IotHubs');
      expect(hub['identity']).toEqual({ type: 'SystemAssigned' });
      expect(hub['sku']).toEqual({ name: 'S2', capacity: 3 });
      expect(hub.properties.routing).toBeUndefined();
    });

    it('a network in which the app reaches everything, and the public nothing of it', () => {
      for (const { properties } of all('all', 'Microsoft.Storage/storageAccounts')) {
        expect(properties).toMatchObject({
          publicNetworkAccess: 'Disabled',
          networkAcls: { defaultAction: 'Deny', bypass: 'AzureServices' },
        });
      }
      expect(one('all', 'Microsoft.EventHub/namespaces').properties.publicNetworkAccess).toBe('Disabled');
      expect(one('all', 'Microsoft.EventHub/namespaces/networkRuleSets').properties.trustedServiceAccessEnabled).toBe(
        true,
      );
      const [appSubnet] = all('all', 'Microsoft.Network/virtualNetworks/subnets');
      expect(appSubnet?.properties.delegations[0].properties.serviceName).toBe('Microsoft.App/environments');
      expect(one('all', 'Microsoft.Web/sites').properties.virtualNetworkSubnetId).toMatch(/\/subnets\/app$/);
      const zones = all('all', 'Microsoft.Network/privateDnsZones').map(({ name }) => {
        return /blob|queue|table|servicebus/.exec(name)?.[0];
      });
      expect(zones.toSorted()).toEqual(['blob', 'queue', 'servicebus', 'table']);
      expect(all('all', 'Microsoft.Network/privateDnsZones/virtualNetworkLinks')).toHaveLength(4);
      for (const type of ['Microsoft.Network/virtualNetworks', 'Microsoft.Network/privateEndpoints']) {
        expect(all('usual', type)).toEqual([]);
      }
    });
  });

  describe('give rights', () => {
    const app = (choice: Choice) => rightsIn(choice, ({ principalId }) => /Identities\/id-hubkeeper/.test(principalId));

    it('to the app: those that its calls need, and no other', () => {
      // Those on a hub are given by a hook, as the hub may lie in another group.
      const needed = RIGHTS_OF_THE_APP.filter(({ on }) => on !== 'hub').map(textOf);
      expect(app('usual')).toEqual(needed.toSorted());
      expect(app('all')).toEqual(needed.toSorted());
    });

    it('to the app: fewer, where nothing is mirrored', () => {
      const needed = RIGHTS_OF_THE_APP.filter(({ role, on }) => {
        return on !== 'hub' && on !== 'eventHub' && !(on === 'data' && role === 'Storage Table Data Contributor');
      });
      expect(app('least')).toEqual(needed.map(textOf).toSorted());
    });

    it('to a person who is named, on the data alone', () => {
      const { operatorPrincipalId } = CHOICES.all;
      expect(rightsIn('all', ({ principalId }) => principalId === operatorPrincipalId)).toEqual([
        'Storage Blob Data Contributor on data',
      ]);
      expect(all('usual', 'Microsoft.Authorization/roleAssignments')).toHaveLength(app('usual').length);
    });

    it('each with a comment that says which calls need it', () => {
      const text = readFileSync('infra/rights.bicep', 'utf8');
      const assignments = text.match(/^resource \w+ 'Microsoft\.Authorization\/roleAssignments/gm) ?? [];
      const explained = text.match(/^\/\/ (?:.*\n\/\/ )*.*\nresource \w+ 'Microsoft\.Authorization\/roleAssignments/gm);
      expect(explained?.length).toBe(assignments.length);
    });
  });

  describe('raise alerts', () => {
    const KEYS = ['backup-damaged', 'backup-overdue', 'exceptions', 'run-failed', 'silent'];
    const OF_MIRROR = ['mirror-dead-letters', 'mirror-drift', 'mirror-lag'];
    const rules = (choice: Choice) => all(choice, 'Microsoft.Insights/scheduledQueryRules');
    const keys = (choice: Choice) => rules(choice).map(({ name }) => name.replace(/^hubkeeper-/, ''));

    it('for everything that somebody has to be told', () => {
      expect(keys('usual').toSorted()).toEqual([...KEYS, ...OF_MIRROR].toSorted());
      expect(keys('least').toSorted()).toEqual(KEYS.filter((key) => key !== 'backup-overdue'));
    });

    it('that each name their section of docs/operations.md, which has no other', () => {
      const page = readFileSync('docs/operations.md', 'utf8');
      const sections = Array.from(page.matchAll(/^### Alert ([\w-]+)$/gm), ([, key]) => key);
      const named = rules('usual').map(({ properties }) => {
        return /docs\/operations\.md#alert-([\w-]+)$/.exec(properties.description)?.[1];
      });
      expect(named).toEqual(keys('usual'));
      expect(sections.toSorted()).toEqual(named.toSorted());
    });

    it('over metrics and functions that there are', () => {
      const functions = globSync('src/functions/*.ts')
        .map((file) => readFileSync(file, 'utf8'))
        .join('\n');
      const metrics = rules('usual').flatMap(({ name, properties }) => {
        const { query, metricMeasureColumn, dimensions } = properties.criteria.allOf[0];
        expect(query).toMatch(/\| summarize /);
        for (const column of [
          metricMeasureColumn,
          ...dimensions.map((dimension: { name: string }) => dimension.name),
        ]) {
          expect(`${name}: ${query}`).toMatch(new RegExp(`\\b${column} = `));
        }
        for (const [, called] of query.matchAll(/OperationName == "(\w+)"/g)) {
          expect(functions).toContain(`('${called}'`);
        }
        const metric = /"(hubkeeper\.[\w.]+)"/.exec(query)?.[1];
        const attributes = Array.from(query.matchAll(/Properties\.(\w+)/g), ([, attribute]) => attribute);
        return metric === undefined ? [] : [{ metric, attributes }];
      });
      expect(metrics.length).toBe(KEYS.length + OF_MIRROR.length - 2);
      for (const { metric, attributes } of metrics) {
        const known: readonly string[] | undefined = METRICS[metric as keyof typeof METRICS]?.attributes;
        expect(known, metric).toEqual(expect.arrayContaining(attributes));
      }
    });

    it('and send them, if there is somebody to send them to', () => {
      expect(rules('usual').flatMap(({ properties }) => properties.actions.actionGroups)).toEqual([]);
      const group = one('all', 'Microsoft.Insights/actionGroups');
      expect(group.properties.emailReceivers[0].emailAddress).toBe(CHOICES.all.alertEmail);
      for (const { properties } of rules('all')) expect(properties.actions.actionGroups).toEqual([group.id]);
    });
  });
});

function choices(): Choice[] {
  return Object.keys(CHOICES) as Choice[];
}

function all(choice: Choice, type: string): Resource[] {
  return deployed[choice].filter((resource) => resource.type === type);
}

function one(choice: Choice, type: string): Resource {
  const [found, ...more] = all(choice, type);
  if (found === undefined || more.length > 0) throw new Error(`${more.length + 1} of ${type}`);
  return found;
}

/** Last names of what the data account has of a kind. */
function inData(choice: Choice, kind: string): string[] {
  const found = all(choice, `Microsoft.Storage/storageAccounts/${kind}`).filter(({ id }) => /\/stdata/.test(id));
  return found.map(({ name }) => name.split('/').at(-1) ?? '').toSorted();
}

interface Assignment {
  readonly principalId: string;
  readonly roleDefinitionId: string;
}

const SCOPES: readonly (readonly [RegExp, Scope])[] = [
  [/\/storageAccounts\/sthost\w+$/, 'host'],
  [/\/storageAccounts\/stdata\w+$/, 'data'],
  [/\/namespaces\/[\w-]+\/eventhubs\/[\w-]+$/, 'eventHub'],
  [/\/components\/[\w-]+$/, 'insights'],
];

function rightsIn(choice: Choice, isOf: (assignment: Assignment) => boolean): string[] {
  const assignments = all(choice, 'Microsoft.Authorization/roleAssignments').filter(({ properties }) => {
    return isOf(properties as Assignment);
  });
  return assignments
    .map(({ id, properties }) => {
      const scope = id.replace(/\/providers\/Microsoft\.Authorization\/.*$/, '');
      const role = properties.roleDefinitionId.split('/').at(-1);
      const on = SCOPES.find(([pattern]) => pattern.test(scope))?.[1] ?? scope;
      return `${Object.entries(ROLE_IDS).find(([, id]) => id === role)?.[0] ?? role} on ${on}`;
    })
    .toSorted();
}

/** A template and those in it. */
function templatesIn(template: Template): Template[] {
  const nested = Object.values(template.resources).flatMap(({ properties }) => {
    return properties?.template === undefined ? [] : templatesIn(properties.template);
  });
  return [template, ...nested];
}
