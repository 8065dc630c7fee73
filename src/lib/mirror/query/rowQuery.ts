/** What is asked of the rows of the mirror: the parameters of `GET /api/devices`, and whether a row is meant. */

import { defined } from '../../defined.ts';
import type { MirrorRow } from '../rows/row.ts';
import { type Place, parsePlace } from './place.ts';
import { queryError } from './queryTexts.ts';
import { isTagPath, tagText } from './tagText.ts';

export interface TagTest {
  /** Names with dots between them. */
  readonly path: string;
  readonly value: string;
}

export const STATUS_WORDS = ['enabled', 'disabled', 'unknown'] as const;

/** All that is given has to hold. */
export interface RowFilter {
  /** Alias; absent: of all hubs. */
  readonly hub?: string;
  readonly id?: string;
  /** Of device ids. */
  readonly prefix?: string;
  readonly status?: (typeof STATUS_WORDS)[number];
  readonly edge?: boolean;
  readonly tags: readonly TagTest[];
  /** `none` unless asked for; `too`: those of each device behind it. */
  readonly modules: 'none' | 'too' | { readonly id: string };
}

export interface RowQuery extends RowFilter {
  /** Rows of the answer, at most. */
  readonly limit: number;
  /** Only rows behind this place. */
  readonly after?: Place;
}

export const MOST_ROWS = 1000;
const ROWS = 100;

/** `code` is the function key. */
const NAMES = ['hub', 'id', 'prefix', 'status', 'edge', 'tag', 'modules', 'module', 'limit', 'after'];
const OF_HOST = ['code', 'clientId'];

/**
 * @param hubs aliases of the hubs that there are
 * @throws MirrorQueryError `queryInvalid`: a name that is wrong must not ask for all rows
 */
export function parseRowQuery(params: URLSearchParams, hubs: readonly string[]): RowQuery {
  refuseUnknown(params, NAMES);
  const text = (name: string) => params.get(name) ?? undefined;
  const module = text('module');
  if (module === '') throw queryError('queryInvalid', { name: 'module', expected: 'the id of a module' });
  const modules = module === undefined ? (truth(params, 'modules') ? 'too' : 'none') : { id: module };
  const edge = truth(params, 'edge');
  return {
    ...defined({
      hub: hubIn(params, hubs),
      id: text('id'),
      prefix: text('prefix'),
      status: statusIn(text('status')),
      edge,
      after: placeIn(text('after')),
    }),
    tags: params.getAll('tag').map(tagTest),
    modules,
    limit: limitIn(text('limit')),
  };
}

/** A name that nobody knows is one that was mistyped. */
export function refuseUnknown(params: URLSearchParams, names: readonly string[]): void {
  const name = [...params.keys()].find((key) => !names.includes(key) && !OF_HOST.includes(key));
  if (name !== undefined)
    throw queryError('queryInvalid:unknown', { name: name.slice(0, 50), names: names.join(', ') });
}

/** The hub that is asked for; undefined: all of them. */
export function hubIn(params: URLSearchParams, hubs: readonly string[]): string | undefined {
  const hub = params.get('hub')?.trim().toLowerCase();
  if (hub === undefined || hubs.includes(hub)) return hub;
  throw queryError('queryInvalid', { name: 'hub', expected: `one of ${hubs.toSorted().join(', ')}` });
}

/** `site=faro`: what stands before the first equals sign is the path of the tag. */
export function tagTest(text: string): TagTest {
  const [, path = '', value] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  if (value !== undefined && isTagPath(path)) return { path, value };
  throw queryError('queryInvalid', {
    name: 'tag',
    expected: 'a path and a value, such as site=faro or place.city=Faro',
  });
}

function truth(params: URLSearchParams, name: string): boolean | undefined {
  const text = params.get(name)?.toLowerCase();
  if (text === undefined) return undefined;
  if (text === 'true' || text === 'false') return text === 'true';
  throw queryError('queryInvalid', { name, expected: 'true or false' });
}

function statusIn(text: string | undefined): RowFilter['status'] {
  const status = STATUS_WORDS.find((word) => word === text?.toLowerCase());
  if (text === undefined || status !== undefined) return status;
  throw queryError('queryInvalid', { name: 'status', expected: `one of ${STATUS_WORDS.join(', ')}` });
}

function placeIn(text: string | undefined): Place | undefined {
  if (text === undefined) return undefined;
  const place = parsePlace(text);
  if (place !== undefined) return place;
  throw queryError('queryInvalid', { name: 'after', expected: 'the id of a device, or next of an answer' });
}

function limitIn(text: string | undefined): number {
  const limit = text === undefined ? ROWS : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (limit >= 1 && limit <= MOST_ROWS) return limit;
  throw queryError('queryInvalid', { name: 'limit', expected: `a whole number from 1 to ${MOST_ROWS}` });
}

/** Whether rows have to be looked at one by one, for what no key tells. */
export function isSelective({ status, edge, tags, modules }: RowFilter): boolean {
  return status !== undefined || edge !== undefined || tags.length > 0 || typeof modules === 'object';
}

/** Whether a row is one of those that are asked for; modules have neither a status nor an edge capability. */
export function matches(row: MirrorRow, filter: RowFilter): boolean {
  const { hub, id, prefix = '', status, edge, tags, modules } = filter;
  return (
    row.state === 'present' &&
    (hub === undefined || row.hub === hub) &&
    (id === undefined || row.deviceId === id) &&
    row.deviceId.startsWith(prefix) &&
    (row.moduleId === undefined ? typeof modules !== 'object' : isModuleMeant(row.moduleId, modules)) &&
    (status === undefined || (row.moduleId === undefined && status === (row.identity?.status ?? 'unknown'))) &&
    (edge === undefined || edge === edgeOf(row)) &&
    tags.every(({ path, value }) => tagText(row.twin?.tags ?? {}, path) === value)
  );
}

function isModuleMeant(moduleId: string, modules: RowFilter['modules']): boolean {
  return typeof modules === 'object' ? moduleId === modules.id : modules === 'too';
}

/** Undefined: it is not known, or the row is of a module. */
export function edgeOf({ identity, moduleId }: MirrorRow): boolean | undefined {
  return identity === undefined || moduleId !== undefined ? undefined : identity.edge === true;
}
