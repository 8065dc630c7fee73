import {
  createConfiguration,
  demandConfigurationId,
  replaceConfiguration,
} from '../configurations/configurationRules.ts';
import { type ConfigurationRow, configurationEtag } from '../configurations/configurationStore.ts';
import { configurationDocument, readConfiguration } from '../configurations/configurationWire.ts';
import { countTwins } from '../configurations/systemMetrics.ts';
import { demandMatch, parseIfMatch, quoted } from '../http/etag.ts';
import { HubError } from '../http/hubError.ts';
import type { Hub } from '../hub.ts';
import { readBody } from './context.ts';
import { type Operation, type OperationRequest, param, type Reply } from './operation.ts';

// The right that configurations need is not documented; they change what devices run, so RegistryWrite.
const common = { right: 'RegistryWrite', throttle: { kind: 'configurations' } } as const;

export const configurationOperations: readonly Operation[] = [
  {
    ...common,
    name: 'listConfigurations',
    method: 'GET',
    path: '/configurations',
    // `top` is ignored, as on the live hub.
    handle: (hub) => ({ status: 200, body: list(hub) }),
  },
  {
    ...common,
    name: 'getConfiguration',
    method: 'GET',
    path: '/configurations/:configurationId',
    handle: (hub, request) => configurationReply(hub, demandConfiguration(hub, request)),
  },
  { ...common, name: 'putConfiguration', method: 'PUT', path: '/configurations/:configurationId', handle: put },
  {
    ...common,
    name: 'deleteConfiguration',
    method: 'DELETE',
    path: '/configurations/:configurationId',
    handle: async (hub, request) => {
      const row = demandConfiguration(hub, request);
      demandMatch(parseIfMatch(request.headers['if-match']), configurationEtag(row));
      hub.store.transaction(() => hub.configurations.remove(row.id));
      await hub.configurationApplier.applyToAll();
      return { status: 204 };
    },
  },
];

function list(hub: Hub) {
  const counts = countTwins(hub.store);
  return hub.configurations.list().map((row) => configurationDocument(row, counts));
}

/** The reply is late until the configuration is applied everywhere; a live hub's is not, and it applies it within minutes. */
async function put(hub: Hub, request: OperationRequest): Promise<Reply> {
  const row = write(hub, request);
  await hub.configurationApplier.applyToAll();
  return configurationReply(hub, row);
}

function write(hub: Hub, request: OperationRequest): ConfigurationRow {
  const id = param(request, 'configurationId');
  const { etag, ...input } = readBody(() => readConfiguration(request.body));
  if (input.id !== id) throw new HubError('ArgumentInvalid', 'The id of the body is not the one of the path.');
  const context = {
    configurations: hub.configurations,
    maxConfigurations: hub.settings.maxConfigurations,
    nowMs: hub.now(),
  };
  // Here only a quoted If-Match counts: with an unquoted one the live hub behaves as if there were none.
  const header = request.headers['if-match'];
  const ifMatch = parseIfMatch(header?.includes('"') ? header : undefined);
  if (ifMatch.kind === 'none') return createConfiguration(context, input);
  const row = demandConfiguration(hub, request);
  demandMatch(ifMatch, configurationEtag(row));
  return replaceConfiguration(context, row, input);
}

function demandConfiguration(hub: Hub, request: OperationRequest): ConfigurationRow {
  const id = param(request, 'configurationId');
  demandConfigurationId(id);
  const row = hub.configurations.find(id);
  if (row === undefined) throw new HubError('ConfigurationNotFound', `Configuration '${id}' does not exist.`);
  return row;
}

function configurationReply(hub: Hub, row: ConfigurationRow): Reply {
  const body = configurationDocument(row, countTwins(hub.store));
  return { status: 200, headers: { ETag: quoted(configurationEtag(row)) }, body };
}
