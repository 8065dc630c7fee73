/** Queries that show identities by their ids, as many at a time as a hub takes. */

import { MAX_QUERY_LENGTH, queryLiteral } from '../../registry/index.ts';

/** As many twins as every hub gives on a page (which page sizes it takes is told differently by different documents). */
export const TWINS_A_PAGE = 100;
/** Their modules come by pages, of which each is a query for the throttle: a device may have fifty. */
const DEVICES_OF_MODULES = 20;

export interface IdsQuery {
  /** The devices that it asks for. */
  readonly ids: readonly string[];
  readonly text: string;
}

/** Queries of the twins of devices. */
export function deviceQueries(ids: readonly string[]): IdsQuery[] {
  return queries('SELECT * FROM devices', ids, TWINS_A_PAGE);
}

/** Queries of the twins of all modules that devices have. */
export function moduleQueries(ids: readonly string[]): IdsQuery[] {
  return queries('SELECT * FROM devices.modules', ids, DEVICES_OF_MODULES);
}

function queries(select: string, ids: readonly string[], most: number): IdsQuery[] {
  const begin = `${select} WHERE deviceId IN [`;
  const found: IdsQuery[] = [];
  let group: string[] = [];
  let length = 0;
  const close = (): void => {
    if (group.length > 0) found.push({ ids: group, text: `${begin}${group.map(queryLiteral).join(',')}]` });
    group = [];
    length = begin.length + 1;
  };
  close();
  for (const id of new Set(ids)) {
    const more = queryLiteral(id).length + 1;
    if (group.length === most || length + more > MAX_QUERY_LENGTH) close();
    group.push(id);
    length += more;
  }
  close();
  return found;
}
