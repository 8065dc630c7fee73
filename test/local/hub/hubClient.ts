import { createHmac } from 'node:crypto';
import { type HubOptions, type PolicyName, type RunningHub, startHub } from '../../../local/hub/index.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: the tests look into replies of every shape.
  readonly body: any;
}

export interface CallOptions {
  readonly body?: unknown;
  /** A body as it is to be sent. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly policy?: PolicyName;
  /** Replaces the default `api-version=2021-04-12`; other parameters go along with it. */
  readonly query?: string;
}

/** A plain REST client with its own SAS tokens: it shares no code with the simulator or the app. */
export interface HubClient {
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  admin(method: string, path: string, body?: unknown): Promise<Answer>;
}

export interface TokenParts {
  readonly host: string;
  readonly keyName: string;
  readonly key: string;
}

/** Signs a token over `sr` exactly as given. */
export function signToken(parts: TokenParts, sr: string, expiresAt = Math.floor(Date.now() / 1000) + 3600): string {
  const sig = createHmac('sha256', Buffer.from(parts.key, 'base64')).update(`${sr}\n${expiresAt}`).digest('base64');
  return `SharedAccessSignature sr=${sr}&sig=${encodeURIComponent(sig)}&se=${expiresAt}&skn=${parts.keyName}`;
}

export function parseConnectionString(connectionString: string): TokenParts {
  const fields = new Map(
    connectionString.split(';').map((part): [string, string] => {
      const at = part.indexOf('=');
      return [part.slice(0, at), part.slice(at + 1)];
    }),
  );
  return {
    host: fields.get('HostName') ?? '',
    keyName: fields.get('SharedAccessKeyName') ?? '',
    key: fields.get('SharedAccessKey') ?? '',
  };
}

export function createClient(hub: Pick<RunningHub, 'connectionStrings' | 'adminUrl'>): HubClient {
  const answerOf = async (response: Response): Promise<Answer> => {
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
  };
  return {
    call: async (
      method,
      path,
      { body, text, headers, policy = 'iothubowner', query = 'api-version=2021-04-12' } = {},
    ) => {
      const parts = parseConnectionString(hub.connectionStrings[policy]);
      const init: RequestInit = {
        method,
        headers: {
          Authorization: signToken(parts, encodeURIComponent(parts.host)),
          'Content-Type': 'application/json',
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(text !== undefined && { body: text }),
      };
      return answerOf(await fetch(`http://${parts.host}${path}?${query}`, init));
    },
    admin: async (method, path, body) =>
      answerOf(
        await fetch(`${hub.adminUrl}${path}`, { method, ...(body !== undefined && { body: JSON.stringify(body) }) }),
      ),
  };
}

/** Runs `use` against a hub of its own and closes it afterwards, whatever happened. */
export async function withHub(
  options: HubOptions,
  use: (client: HubClient, hub: RunningHub) => Promise<void>,
): Promise<void> {
  const hub = await startHub(options);
  try {
    await use(createClient(hub), hub);
  } finally {
    await hub.close();
  }
}
