import { HubError } from './hubError.ts';

/** What an If-Match header asks for: nothing, any version (`*`), or one version. */
export type IfMatch =
  | { readonly kind: 'none' }
  | { readonly kind: 'any' }
  | { readonly kind: 'etag'; readonly etag: string };

/**
 * Clients write `*`, `"*"`, `etag` and `"etag"`: all are accepted (azure-iot-cli-extension sends a bare `*`, the SDKs a
 * quoted one).
 */
export function parseIfMatch(header: string | undefined): IfMatch {
  const text = header?.trim() ?? '';
  if (text === '') return { kind: 'none' };
  const bare = unquote(text);
  return bare === '*' ? { kind: 'any' } : { kind: 'etag', etag: bare };
}

/** Strips the weak mark and the quotes of an entity tag. */
export function unquote(text: string): string {
  return text.replace(/^W\//, '').replace(/^"(.*)"$/s, '$1');
}

/** Fails with 412 when the condition names another version. Without a condition everything matches. */
export function demandMatch(condition: IfMatch, current: string): void {
  if (condition.kind === 'etag' && condition.etag !== current) {
    throw new HubError('PreconditionFailed', 'PreconditionFailed, ETag may be invalid.');
  }
}

export const quoted = (etag: string): string => `"${etag}"`;
