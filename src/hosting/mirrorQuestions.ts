/** Questions about devices in the mirror that more than one address answers. */

import type { Counts, CountView } from '../lib/mirror/query/counts.ts';
import { type DeviceView, deviceView } from '../lib/mirror/query/deviceView.ts';
import type { QueryContext } from '../lib/mirror/query/listRows.ts';
import { queryError } from '../lib/mirror/query/queryTexts.ts';
import { hubIn, refuseUnknown } from '../lib/mirror/query/rowQuery.ts';

/**
 * Of routes that fit, a Functions host takes the function whose name comes first, not the route that says more: `devices/{id}`
 * is asked for `devices/count`, too.
 */
export const COUNT = 'count';

/** All about one device, by its id. @param params may have `hub`, and nothing else */
export async function deviceAsked(mirror: QueryContext, id: string, params: URLSearchParams): Promise<DeviceView> {
  if (id === '') throw queryError('queryInvalid', { name: 'id', expected: 'the id of a device' });
  refuseUnknown(params, ['hub']);
  return deviceView(mirror, id, hubIn(params, mirror.hubs));
}

/** How many devices there are. @param params may have `hub` and `by` */
export async function countAsked(
  mirror: Pick<QueryContext, 'hubs'> & { readonly counts: Counts },
  params: URLSearchParams,
): Promise<CountView> {
  refuseUnknown(params, ['hub', 'by']);
  return mirror.counts.count(hubIn(params, mirror.hubs), params.get('by') ?? undefined);
}
