/** The extras of a backup, read from the hub in steps: edge devices by a paged query, then modules device by device. */

import { defined } from '../defined.ts';
import { RefusedInputError } from '../errors.ts';
import { HubError, type RegistryClient } from '../registry/index.ts';
import { asString, asStrings, type JsonObject } from '../registry/reader.ts';
import type { EdgeExtra, ExtraLine, ModuleExtra } from './extraLine.ts';
import { refusalOf, type WorkLimits, workThrough } from './hubWork.ts';
import type { ModulesToAsk } from './planExtras.ts';

const EDGE_QUERY = 'SELECT deviceId, deviceScope, parentScopes FROM devices WHERE capabilities.iotEdge = true';
/** Hubs give fewer if they want to. */
const PAGE = 1_000;

/** How far it has come; JSON, and without secrets. */
export interface ExtrasPosition {
  /** Of the query for edge devices: the page to go on with (absent: the first), or that it is through. */
  readonly edges: { readonly continuation?: string } | 'all';
  /** Devices whose modules were asked for. */
  readonly asked: number;
  /** Lines of edge devices. */
  readonly edgesFound: number;
  /** Modules that the hub does not show: their device is disabled, or has an id that no URL can hold. */
  readonly unreadable: number;
  readonly done: boolean;
}

export const EXTRAS_START: ExtrasPosition = { edges: {}, asked: 0, edgesFound: 0, unreadable: 0, done: false };

export interface ExtrasStep {
  /** In this step. */
  readonly lines: readonly ExtraLine[];
  readonly position: ExtrasPosition;
  /**
   * What ended the step early. If it is transient, the next step goes on from `position` once the hub had its rest; if
   * not, what was read stands, and is not complete.
   */
  readonly stoppedBy?: HubError;
}

/**
 * Reads extras from where it stopped. Each page of the query and each device is an item, and a call: at most
 * `limits.atMost` in all.
 *
 * @param asks of `planExtras`, always the same in the same order
 */
export async function collectExtras(
  hub: RegistryClient,
  asks: AsyncIterable<ModulesToAsk> | Iterable<ModulesToAsk>,
  position: ExtrasPosition,
  limits: WorkLimits,
): Promise<ExtrasStep> {
  if (position.done) return { lines: [], position };
  const { pages, ...edges } = await edgeExtras(hub, position, limits);
  if (edges.position.edges !== 'all' || edges.stoppedBy !== undefined) return edges;
  let { unreadable } = edges.position;
  const work = async (ask: ModulesToAsk): Promise<readonly ModuleExtra[]> => {
    const found = await moduleExtras(hub, ask);
    if (found === 'unreadable') unreadable += ask.moduleIds.length;
    return found === 'unreadable' ? [] : found;
  };
  const left = { ...limits, atMost: limits.atMost - pages };
  const step = await workThrough(asks, position.asked, left, work);
  return {
    lines: [...edges.lines, ...step.results],
    position: { ...edges.position, asked: step.position, unreadable, done: step.done },
    ...defined({ stoppedBy: step.stoppedBy }),
  };
}

async function edgeExtras(
  hub: RegistryClient,
  before: ExtrasPosition,
  { atMost, until, now }: WorkLimits,
): Promise<ExtrasStep & { readonly pages: number }> {
  const lines: EdgeExtra[] = [];
  let { edges } = before;
  let pages = 0;
  const step = () => ({ lines, pages, position: { ...before, edges, edgesFound: before.edgesFound + lines.length } });
  try {
    while (edges !== 'all' && pages < atMost && now() < until) {
      const page = await pageOf(hub, edges.continuation);
      lines.push(...page.items.flatMap(edgeIn));
      edges = page.continuation === undefined ? 'all' : { continuation: page.continuation };
      pages += 1;
    }
    return step();
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    return { ...step(), stoppedBy: error };
  }
}

async function pageOf(hub: RegistryClient, continuation: string | undefined) {
  const pages = hub.query(EDGE_QUERY).byPage({ maxItems: PAGE, ...defined({ continuation }) });
  for await (const page of pages) return page;
  return { items: [] };
}

function edgeIn(row: JsonObject): EdgeExtra[] {
  const id = asString(row['deviceId']);
  if (id === undefined) return [];
  const deviceScope = asString(row['deviceScope']) ?? null;
  return [{ kind: 'edge', id, deviceScope, parentScopes: asStrings(row['parentScopes']) ?? [] }];
}

/** Of the modules that the export has; those that are gone by now have no line. */
async function moduleExtras(
  hub: RegistryClient,
  { id, moduleIds }: ModulesToAsk,
): Promise<readonly ModuleExtra[] | 'unreadable'> {
  try {
    const modules = await hub.listModules(id);
    return modules
      .filter(({ moduleId }) => moduleIds.includes(moduleId))
      .map(({ moduleId, etag, managedBy = null }) => ({ kind: 'module', id, moduleId, eTag: etag, managedBy }));
  } catch (error) {
    if (error instanceof HubError && error.status === 404) return [];
    if (error instanceof RefusedInputError) return 'unreadable';
    const refusal = await refusalOf(hub, id, error);
    if (refusal === undefined) throw error;
    return refusal === 'disabled' ? 'unreadable' : [];
  }
}
