import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { HubContainer } from '../helpers/hubContainer.ts';
import { demandRest, type HubRest, queryRest } from '../helpers/hubRest.ts';

export interface FleetSize {
  /** All devices, edge devices among them. */
  readonly devices: number;
  /** Modules that are neither system modules nor of a deployment. */
  readonly modules: number;
  /** In three levels. */
  readonly edges: number;
  readonly configurations: number;
}

/**
 * Builds a fleet that has of everything a registry can have something, in a hub that is empty: by an import job and plain
 * REST, without a line of code of the app. The same size gives the same fleet, keys too.
 */
export async function buildFleet(rest: HubRest, container: HubContainer, size: FleetSize): Promise<void> {
  await importLines(rest, container, edgeLines(size));
  const scopes = await edgeScopes(rest);
  await importLines(rest, container, nestedLines(size, scopes));
  await importLines(rest, container, leafLines(size, scopes));
  await importLines(rest, container, moduleLines(size));
  await eachOf(ownedModules(size), (module) =>
    demandRest(rest, 'PUT', `/devices/${encodeURIComponent(module.deviceId)}/modules/${module.moduleId}`, module, {
      'if-match': '"*"',
    }),
  );
  await eachOf(deployedEdges(size), async (deviceId) => {
    await demandRest(rest, 'POST', `/devices/${deviceId}/applyConfigurationContent`, edgeContent(deviceId));
    // A person's own word to a module of the deployment.
    await demandRest(rest, 'PATCH', `/twins/${deviceId}/modules/filter`, { tags: { tuned: deviceId } });
  });
  // A disabled device answers for no module: so it is disabled once it has them.
  await importLines(rest, container, disabledLines(size, scopes));
  // Last, as what a line writes over is not applied again.
  for (const configuration of configurations(size)) {
    await demandRest(rest, 'PUT', `/configurations/${configuration.id}`, configuration);
  }
}

/** Takes everything out of a hub, by a job and plain REST. */
export async function wipeHub(rest: HubRest, container: HubContainer): Promise<void> {
  const configured = await demandRest<{ id: string }[]>(rest, 'GET', '/configurations?top=1000');
  for (const { id } of configured) await demandRest(rest, 'DELETE', `/configurations/${encodeURIComponent(id)}`);
  const ids = await Array.fromAsync(queryRest<{ deviceId: string }>(rest, 'SELECT deviceId FROM devices'));
  await importLines(
    rest,
    container,
    ids.map(({ deviceId }) => `${JSON.stringify({ id: deviceId, importMode: 'delete', status: 'enabled' })}\n`),
  );
}

/** Runs an import job over lines. @throws Error when one of them fails */
export async function importLines(rest: HubRest, container: HubContainer, lines: Iterable<string>): Promise<void> {
  let count = 0;
  const counted = function* () {
    for (const line of lines) {
      count += 1;
      yield line;
    }
  };
  await container.write('fleet.txt', counted());
  if (count === 0) return;
  const { jobId } = await demandRest<{ jobId: string }>(rest, 'POST', '/jobs/create', {
    type: 'import',
    inputBlobContainerUri: container.url,
    inputBlobName: 'fleet.txt',
    outputBlobContainerUri: container.url,
  });
  for (;;) {
    const { status } = await demandRest<{ status: string }>(rest, 'GET', `/jobs/${jobId}`);
    if (status === 'completed') break;
    if (status === 'failed' || status === 'cancelled') throw new Error(`The import of the fleet has ${status}.`);
    await sleep(50);
  }
  const errors = await container.read('importErrors.log');
  if (errors !== '') throw new Error(`The import of the fleet failed at: ${errors.slice(0, 500)}`);
}

const LEVELS = 3;

/** Tags and desired properties as people write them: odd text, numbers as written, depth. Raw text, not a value. */
const TWINS = [
  '"tags":{},"properties":{"desired":{}}',
  '"tags":{"site":"aachen","floor":3,"rates":{"low":1.0,"high":1e3,"exact":0.1,"whole":10.00,"neg":-0.5}},"properties":{"desired":{"interval":60,"alarm":{"high":85.50,"enabled":true}}}',
  '"tags":{"名前":"計器 №7","emoji":"🏭👩\u200d🔧","nfd":"e\\u0301","nfc":"\\u00e9","quote":"\\"\\\\/\\b\\f\\n\\r\\t","line":"\\u2028\\u2029","bidi":"שלום"},"properties":{"desired":{"日本":{"語":["一",2,{"三":3}]}}}',
  '"tags":{"empty":"","list":[1,"2",[3,[]],{}],"no":false,"deep":{"a":{"b":{"c":{"d":{"e":1}}}}}},"properties":{"desired":{"big":4503599627370495,"small":-4503599627370495,"tiny":1.5e-7}}',
  '"tags":{"site":"$& $1 \\\\u0041 %41","id":"constructor","proto":{"toString":1}},"properties":{"desired":{"a":{"b":{"c":[[[1]]]}}},"reported":{}}',
] as const;

/** Ids that file names, queries and paths have to quote. */
const ODD_IDS = ["odd:%41(x),y=z@w;'q'!*?_.", 'cash$$-$1', '%2F', 'constructor', '__proto__x', 'UPPER', 'upper'];

/** Level 0 is the uppermost. */
export function edgeId(level: number, index: number): string {
  return `edge-${level}-${index}`;
}

function edgesOf({ edges }: FleetSize): { readonly id: string; readonly level: number; readonly index: number }[] {
  return Array.from({ length: edges }, (_, at) => {
    const level = at % LEVELS;
    const index = Math.floor(at / LEVELS);
    return { id: edgeId(level, index), level, index };
  });
}

/** Id of a device that is no edge device. */
export function leafId(index: number): string {
  return ODD_IDS[index] ?? `leaf-${index}`;
}

function leafCount({ devices, edges }: FleetSize): number {
  return Math.max(0, devices - edges);
}

function key(of: string): string {
  return createHash('sha256').update(of).digest('base64');
}

function sas(id: string): string {
  return `{"symmetricKey":{"primaryKey":"${key(`${id} 1`)}","secondaryKey":"${key(`${id} 2`)}"},"type":"sas"}`;
}

/** Of every twenty devices two have thumbprints and one is of a CA; the rest have keys. */
function authentication(id: string, index: number): string {
  const place = index % 20;
  const digest = createHash('sha1').update(id).digest('hex');
  if (place === 3)
    return `{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"${digest.toUpperCase()}","secondaryThumbprint":"${digest}"}}`;
  if (place === 7)
    return `{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"${createHash('sha256').update(id).digest('hex')}","secondaryThumbprint":"${createHash('sha256').update(`${id} 2`).digest('hex')}"}}`;
  if (place === 13) return '{"type":"certificateAuthority"}';
  return sas(id);
}

/** Whether a device that is no edge device is. */
export function isDisabled(index: number): boolean {
  return index % 9 === 4;
}

function leafLine(size: FleetSize, scopes: ReadonlyMap<string, string>, index: number, status: string): string {
  const id = leafId(index);
  const scope =
    index % 5 === 2 ? scopes.get(edgeId(index % LEVELS, index % Math.ceil(size.edges / LEVELS))) : undefined;
  return [
    `{"id":${JSON.stringify(id)},"importMode":"createOrUpdate",${status}`,
    `"authentication":${authentication(id, index)}`,
    TWINS[index % TWINS.length],
    ...(scope === undefined ? [] : [`"deviceScope":${JSON.stringify(scope)}`]),
    '"capabilities":{"iotEdge":false}}\n',
  ].join(',');
}

function* leafLines(size: FleetSize, scopes: ReadonlyMap<string, string>): Generator<string> {
  const reason = (index: number) => (index % 11 === 0 ? `,"statusReason":"in stock, since ${index}"` : '');
  for (let index = 0; index < leafCount(size); index += 1) {
    yield leafLine(size, scopes, index, `"status":"enabled"${reason(index)}`);
  }
}

function* disabledLines(size: FleetSize, scopes: ReadonlyMap<string, string>): Generator<string> {
  for (let index = 0; index < leafCount(size); index += 1) {
    if (!isDisabled(index)) continue;
    const reason = index % 2 === 0 ? '"gestohlen – Anzeige Nr. 7"' : '""';
    yield leafLine(size, scopes, index, `"status":"disabled","statusReason":${reason}`);
  }
}

function edgeLine(id: string, index: number, more: string): string {
  return `{"id":"${id}","importMode":"createOrUpdate","status":"enabled","authentication":${sas(id)},"tags":{"role":"gateway","row":${index % 4}},"capabilities":{"iotEdge":true}${more}}\n`;
}

function* edgeLines(size: FleetSize): Generator<string> {
  for (const { id, index } of edgesOf(size)) yield edgeLine(id, index, '');
}

function* nestedLines(size: FleetSize, scopes: ReadonlyMap<string, string>): Generator<string> {
  const width = Math.ceil(size.edges / LEVELS);
  for (const { id, level, index } of edgesOf(size)) {
    const parent = level === 0 ? undefined : scopes.get(edgeId(level - 1, (index * 7) % width));
    if (parent === undefined) continue;
    yield edgeLine(id, index, `,"deviceScope":"${scopes.get(id)}","parentScopes":["${parent}"]`);
  }
}

async function edgeScopes(rest: HubRest): Promise<Map<string, string>> {
  const rows = queryRest<{ deviceId: string; deviceScope: string }>(
    rest,
    'SELECT * FROM devices WHERE capabilities.iotEdge = true',
  );
  return new Map(await Array.fromAsync(rows, ({ deviceId, deviceScope }) => [deviceId, deviceScope] as const));
}

interface FleetModule {
  readonly deviceId: string;
  readonly moduleId: string;
  /** Of its device, -1 for an edge device. */
  readonly leaf: number;
}

/** On every third device, edge devices too, one or two each. */
function* modulesOf(size: FleetSize): Generator<FleetModule> {
  const leaves = leafCount(size);
  const edges = edgesOf(size);
  for (let made = 0; made < size.modules; made += 1) {
    const edge = made % 10 === 9 ? edges[Math.floor(made / 10) % Math.max(1, edges.length)] : undefined;
    if (edge === undefined) {
      const leaf = (Math.floor(made / 2) * 3) % leaves;
      yield { deviceId: leafId(leaf), moduleId: `module-${made}`, leaf };
    } else yield { deviceId: edge.id, moduleId: `module-${made}`, leaf: -1 };
  }
}

function* moduleLines(size: FleetSize): Generator<string> {
  let index = 0;
  for (const { deviceId, moduleId } of modulesOf(size)) {
    const twin = TWINS[index % TWINS.length];
    index += 1;
    yield `{"id":${JSON.stringify(deviceId)},"moduleId":"${moduleId}","importMode":"createOrUpdate","status":"enabled","authentication":${sas(`${deviceId}/${moduleId}`)},${twin}}\n`;
  }
}

/** Every other module says who manages it; those of disabled devices do not, for no hub tells it of them. */
function ownedModules(size: FleetSize): (object & Pick<FleetModule, 'deviceId' | 'moduleId'>)[] {
  return [...modulesOf(size)]
    .filter(({ leaf }, index) => index % 2 === 0 && !(leaf >= 0 && isDisabled(leaf)))
    .map(({ deviceId, moduleId }, index) => ({
      deviceId,
      moduleId,
      managedBy: index % 3 === 0 ? 'iotEdge' : `owner ${index} – "ü"`,
      authentication: JSON.parse(sas(`${deviceId}/${moduleId}`)) as object,
    }));
}

/** Every third edge device has modules of its own deployment. */
function deployedEdges(size: FleetSize): string[] {
  return edgesOf(size)
    .filter(({ index }) => index % 3 === 0)
    .map(({ id }) => id);
}

function edgeContent(deviceId: string): object {
  const image = (name: string) => ({
    type: 'docker',
    status: 'running',
    restartPolicy: 'always',
    settings: { image: `registry.example/${name}:1.0`, createOptions: '{"HostConfig":{}}' },
  });
  return {
    modulesContent: {
      $edgeAgent: {
        'properties.desired': {
          schemaVersion: '1.1',
          runtime: { type: 'docker', settings: { minDockerVersion: 'v1.25' } },
          systemModules: { edgeAgent: image('agent'), edgeHub: image('hub') },
          modules: { filter: image('filter'), camera: image('camera') },
        },
      },
      $edgeHub: {
        'properties.desired': {
          schemaVersion: '1.1',
          routes: { up: 'FROM /messages/* INTO $upstream' },
          storeAndForwardConfiguration: { timeToLiveSecs: 7200 },
        },
      },
      filter: { 'properties.desired': { of: deviceId, limit: 1.5 } },
      camera: { 'properties.desired': {} },
    },
  };
}

/** Every other one is a deployment for edge devices, the others are for devices: the first few have targets. */
function configurations(size: FleetSize): (object & { readonly id: string })[] {
  return Array.from({ length: size.configurations }, (_, index) => ({
    id: `configuration-${index}`,
    labels: index % 3 === 0 ? {} : { of: 'fleet', 'n°': String(index) },
    priority: 10 + index,
    ...(index % 2 === 0
      ? {
          targetCondition: `tags.site='aachen' AND tags.floor > ${index}`,
          content: { deviceContent: { [`properties.desired.c${index}`]: { every: index, unit: 'µs' } } },
          metrics: { queries: { slow: `SELECT deviceId FROM devices WHERE properties.reported.c > ${index}` } },
        }
      : {
          targetCondition: `tags.role='gateway' AND tags.row = ${index}`,
          content: edgeContent(`configuration-${index}`),
        }),
  }));
}

/** Requests under way at a time. */
const AT_ONCE = 16;

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}
