import { createHmac } from 'node:crypto';

export interface HubReply {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Headers;
}

/** A request to a hub with a token of the test's own making: no code of the app has a part in it. */
export type HubRest = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<HubReply>;

/** Seconds that a token is good for; a new one is made when half of them are over. */
const TOKEN_SECONDS = 3600;

export function hubRest(connectionString: string): HubRest {
  const part = (name: string) => new RegExp(`(?:^|;)${name}=([^;]*)`).exec(connectionString)?.[1] ?? '';
  const host = part('HostName');
  let token = { text: '', until: 0 };
  const authorization = (): string => {
    const now = Math.floor(Date.now() / 1000);
    if (now < token.until) return token.text;
    const resource = encodeURIComponent(host);
    const expiry = now + TOKEN_SECONDS;
    const signature = createHmac('sha256', Buffer.from(part('SharedAccessKey'), 'base64'))
      .update(`${resource}\n${expiry}`)
      .digest('base64');
    const text = `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiry}&skn=${part('SharedAccessKeyName')}`;
    token = { text, until: now + TOKEN_SECONDS / 2 };
    return text;
  };
  return async (method, path, body, headers) => {
    const response = await fetch(`http://${host}${path}${path.includes('?') ? '&' : '?'}api-version=2021-04-12`, {
      method,
      headers: { authorization: authorization(), 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
      headers: response.headers,
    };
  };
}

/** The body of a reply that has to be good. */
export async function demandRest<T>(rest: HubRest, ...request: Parameters<HubRest>): Promise<T> {
  const { status, body } = await rest(...request);
  if (status >= 300)
    throw new Error(`${request[0]} ${request[1]} answered ${status}: ${JSON.stringify(body).slice(0, 300)}`);
  return body as T;
}

/** Rows of a query, page by page. */
export async function* queryRest<T>(rest: HubRest, query: string): AsyncGenerator<T> {
  let continuation: string | null = null;
  do {
    const page: HubReply = await rest(
      'POST',
      '/devices/query',
      { query },
      { 'x-ms-max-item-count': '1000', ...(continuation === null ? {} : { 'x-ms-continuation': continuation }) },
    );
    if (page.status !== 200) throw new Error(`The query of the registry answered ${page.status}.`);
    yield* page.body as T[];
    continuation = page.headers.get('x-ms-continuation');
  } while (continuation !== null);
}
