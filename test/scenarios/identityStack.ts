import { randomBytes, randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { choosePorts } from '../../local/stack/freePort.ts';
import { type IdentityEndpoint, startIdentityEndpoint, startStorageGate } from '../helpers/managedIdentity.ts';
import { type TestStack, withStack } from '../helpers/stack.ts';
import { type Front, makeCertificate, startTlsFront } from '../helpers/tlsFront.ts';
import { RIGHTS_OF_THE_APP, RIGHTS_OF_THE_HUB, type Right } from '../infra/rights.ts';

/** The accounts of Azurite, and what the roles call them. */
const DATA_ACCOUNT = 'devstoreaccount1';
const HOST_ACCOUNT = 'hoststorage';
/** Where the clients of Event Hubs look for a namespace: they take no other port. */
const AMQP_PORT = 5671;

export interface IdentityStack {
  readonly stack: TestStack;
  readonly endpoint: IdentityEndpoint;
  /** All that is set for the app: nothing else leads it to what it works with. */
  readonly settings: Readonly<Record<string, string>>;
  /** For a start of the host as another identity. */
  settingsOf(clientId: string): Readonly<Record<string, string>>;
  /** From now on the identity of the hub has these rights. */
  giveHub(rights: readonly Right[]): void;
  /** What nobody may keep, and what must not be set for the app. */
  readonly secrets: readonly string[];
  /** The least time that a token had left when it was used, in ms. */
  leastLeftMs(): number;
}

/** User-assigned identities of the app by client id: the one that has all rights, and those that lack some. */
export type Identities = Readonly<Record<string, readonly Right[]>>;

export interface IdentityStackOptions {
  /** The first is whose the app is to begin with. */
  readonly identities: Identities;
  readonly app?: string;
  /** Besides those that say what the app works with, and as whom. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * A whole stack in which the app, the host and the hub prove who they are by managed identities alone: no key, signature or
 * connection string is given to any of them. (The simulator and Azurite keep their keys for the test to look in with.)
 */
export async function withIdentityStack<T>(
  { identities, app, settings: more }: IdentityStackOptions,
  use: (stack: IdentityStack) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'hubkeeper-identity-'));
  const closing: { close(): Promise<void> }[] = [];
  const opened = async <Part extends { close(): Promise<void> }>(starting: Promise<Part>): Promise<Part> => {
    const part = await starting;
    closing.push(part);
    return part;
  };
  // An address of its own, so that tests that run at once do not want the same port.
  const namespace = `127.${randomInt(1, 255)}.${randomInt(255)}.${randomInt(1, 255)}`;
  const certificate = makeCertificate(folder, ['127.0.0.1', namespace]);
  const [entraKey, appSecret, hubSecret, hostKey] = [0, 1, 2, 3].map(() => randomBytes(32).toString('base64'));
  if (!entraKey || !appSecret || !hubSecret || !hostKey) throw new Error('There are four secrets.');
  const [clientId = ''] = Object.keys(identities);
  try {
    const principals = Object.entries(identities).map(([id, rights]) => ({
      secret: appSecret,
      clientId: id,
      rights: () => rights,
    }));
    let rightsOfHub = RIGHTS_OF_THE_HUB;
    const endpoint = await opened(
      startIdentityEndpoint(entraKey, [...principals, { secret: hubSecret, clientId: '', rights: () => rightsOfHub }]),
    );
    const ports = await choosePorts({}, {});
    const scopes = { [DATA_ACCOUNT]: 'data', [HOST_ACCOUNT]: 'host' } as const;
    const gate = (service: 'blob' | 'queue' | 'table') =>
      opened(startStorageGate({ service, azuritePort: ports[service], key: entraKey, certificate, scopes }));
    const [blob, queue, table] = await Promise.all([gate('blob'), gate('queue'), gate('table')]);
    const hub: Front = await opened(startTlsFront(certificate, { address: '127.0.0.1', port: 0 }, ports.hub));
    await opened(startTlsFront(certificate, { address: namespace, port: AMQP_PORT }, ports.hubEvents));

    const at = ({ port }: Front, account: string) => `https://127.0.0.1:${port}/${account}`;
    const trust = { NODE_EXTRA_CA_CERTS: certificate.certificateFile };
    const as = (connection: string, id: string) => ({
      [`${connection}__credential`]: 'managedidentity',
      [`${connection}__clientId`]: id,
    });
    const settingsOf = (id: string): Record<string, string> => ({
      ...as('AzureWebJobsStorage', id),
      ...as('HUBKEEPER_STORAGE', id),
      ...as('MIRROR_EVENTS', id),
    });
    const settings = {
      ...more,
      ...trust,
      ...endpoint.environment(appSecret),
      ...settingsOf(clientId),
      AzureWebJobsStorage: '',
      AzureWebJobsStorage__blobServiceUri: at(blob, HOST_ACCOUNT),
      AzureWebJobsStorage__queueServiceUri: at(queue, HOST_ACCOUNT),
      AzureWebJobsStorage__tableServiceUri: at(table, HOST_ACCOUNT),
      HUBKEEPER_STORAGE: '',
      HUBKEEPER_STORAGE__blobServiceUri: at(blob, DATA_ACCOUNT),
      HUBKEEPER_STORAGE__queueServiceUri: at(queue, DATA_ACCOUNT),
      HUBKEEPER_STORAGE__tableServiceUri: at(table, DATA_ACCOUNT),
      IOTHUB: `127.0.0.1:${hub.port}`,
      STORAGE_AUTH: 'identity',
      MIRROR_EVENTS: '',
      MIRROR_EVENTS__fullyQualifiedNamespace: namespace,
      MIRROR_EVENT_HUB: 'iothub-ehub-local-hub',
    };
    const azuriteKey = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
    const options = {
      ...(app === undefined ? {} : { app }),
      mirror: true,
      unkind: false,
      ports: { blob: ports.blob, queue: ports.queue, table: ports.table, hub: ports.hub, hubEvents: ports.hubEvents },
      settings,
      azuriteArgs: ['--oauth', 'basic', '--cert', certificate.certificateFile, '--key', certificate.keyFile],
      azuriteEnvironment: { AZURITE_ACCOUNTS: `${DATA_ACCOUNT}:${azuriteKey};${HOST_ACCOUNT}:${hostKey}` },
      hubArgs: ['--tier', 'S3', '--entra-key', entraKey, '--identity-storage', at(blob, DATA_ACCOUNT)],
      hubEnvironment: { ...trust, ...endpoint.environment(hubSecret) },
    };
    return await withStack(options, (stack) => {
      const keys = Object.values(stack.connectionStrings).map(
        (text) => /SharedAccessKey=([^;]+)/.exec(text)?.[1] ?? '',
      );
      const leastLeftMs = () => Math.min(...[blob, queue, table].map((one) => one.leastLeftMs()));
      const secrets = [azuriteKey, hostKey, entraKey, hubSecret, ...keys];
      const giveHub = (rights: readonly Right[]): void => {
        rightsOfHub = rights;
      };
      return use({ stack, endpoint, settings, settingsOf, giveHub, secrets, leastLeftMs });
    });
  } finally {
    await Promise.all(closing.map((part) => part.close()));
    await rm(folder, { recursive: true, force: true });
  }
}

/** The rights of the app without a role, wherever it is. */
export function without(...roles: readonly Right['role'][]): readonly Right[] {
  return RIGHTS_OF_THE_APP.filter(({ role }) => !roles.includes(role));
}
