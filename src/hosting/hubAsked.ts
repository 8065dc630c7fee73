import type { HttpResponseInit } from '@azure/functions';

import { apiError } from './apiTexts.ts';

/**
 * The hub that a request means: the one that it names, or the only one there is; or the reply that refuses it.
 *
 * @param aliases of the hubs of the app
 */
export function hubAsked(
  aliases: readonly string[],
  asked: string | undefined,
): { readonly hub: string } | { readonly refused: HttpResponseInit } {
  const hub = asked === undefined && aliases.length === 1 ? aliases[0] : asked?.trim().toLowerCase();
  if (hub !== undefined && aliases.includes(hub)) return { hub };
  const hubs = aliases.toSorted().join(', ');
  return { refused: apiError(hub === undefined ? 'hubNeeded' : 'hubUnknown', [{ hubs }]) };
}
