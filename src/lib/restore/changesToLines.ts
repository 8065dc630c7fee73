/**
 * Changes that bring a hub to what is wanted, as lines of a devices file: pure. Whatever a line is to take away it names,
 * as nothing that it leaves out would change.
 */

import { namedParent, type ParentFields } from '../devicesFile/edgeParents.ts';
import { bareEtag } from '../registry/etag.ts';
import type { Change } from '../registryLines/compareSnapshots.ts';
import { twinOf } from '../registryLines/twinText.ts';
import { isObjectText, memberMap, membersOf, objectText } from '../textFile/jsonMembers.ts';
import { modeDoes, type RestoreMode } from './restoreMode.ts';

/** What comes of a change. */
export type PlannedChange =
  | {
      readonly is: 'line';
      /** Holds keys. */
      readonly text: string;
      /** The identity is new and its keys are not known: the hub will make some. */
      readonly getsNewKeys: boolean;
      /** It had reported properties, which only a device can set. */
      readonly losesReported: boolean;
    }
  /** The hub makes the module itself, for an edge device: no line does. */
  | { readonly is: 'hubMade' }
  /** A module that goes with its device. */
  | { readonly is: 'goesWith' }
  /** It is not deleted, for the backup may have it. */
  | { readonly is: 'kept' }
  /** The mode does not do it. */
  | { readonly is: 'left' };

export interface LinePlanOptions {
  readonly mode: RestoreMode;
  /** Whether a hub makes a module itself, given a line of it. */
  isMadeByHub(change: Change & { readonly moduleId: string }, line: string): boolean;
  /** Whether a device, with its modules, stays though it seems not to be wanted. */
  keeps(identity: { readonly id: string }): boolean;
}

/** @returns what is to be called with the changes of a comparison in their order: a device comes right before its modules */
export function createLinePlanner({ mode, isMadeByHub, keeps }: LinePlanOptions): (change: Change) => PlannedChange {
  let deletedDevice: string | undefined;
  return (change) => {
    const { id, moduleId, change: kind, before, after } = change;
    const text = after ?? before;
    if (text === undefined) throw new TypeError('A change has a line, before or after.');
    if (!modeDoes(mode, kind)) return { is: 'left' };
    if (kind === 'deleted') {
      if (keeps(change)) return { is: 'kept' };
      if (moduleId === undefined) deletedDevice = id;
      else if (id === deletedDevice) return { is: 'goesWith' };
      if (moduleId?.startsWith('$')) return { is: 'hubMade' };
      // What is written or made anew by the time of its line is another than the plan shows.
      return { is: 'line', text: deleteLine(change, eTagIn(text)), getsNewKeys: false, losesReported: false };
    }
    if (moduleId !== undefined && isMadeByHub({ ...change, moduleId }, text)) return { is: 'hubMade' };
    const isNew = kind === 'created';
    const members = membersInLowerCase(text);
    return {
      is: 'line',
      text: wantedLine({ id, moduleId, isNew, members }),
      getsNewKeys: isNew && !members.has('authentication'),
      losesReported: isNew && hasReported(members),
    };
  };
}

/**
 * A line that takes an identity away.
 *
 * @param eTag only as long as it has this one; '': whatever it has
 */
export function deleteLine({ id, moduleId }: Pick<Change, 'id' | 'moduleId'>, eTag = ''): string {
  const how: [string, string][] =
    eTag === ''
      ? [['importMode', '"delete"']]
      : [
          ['importMode', '"deleteIfMatchETag"'],
          ['eTag', JSON.stringify(eTag)],
        ];
  return objectText([...identityMembers(id, moduleId), ...how]);
}

function eTagIn(text: string): string {
  const eTag = parsed(membersInLowerCase(text).get('etag'));
  return typeof eTag === 'string' ? bareEtag(eTag) : '';
}

interface WantedIdentity {
  readonly id: string;
  readonly moduleId: string | undefined;
  readonly isNew: boolean;
  readonly members: ReadonlyMap<string, string>;
}

function wantedLine({ id, moduleId, isNew, members }: WantedIdentity): string {
  const line: [string, string][] = [
    ...identityMembers(id, moduleId),
    // Somebody may have made one of that name meanwhile: it is not written over unseen.
    ['importMode', isNew ? '"create"' : '"createOrUpdate"'],
  ];
  const put = (key: string, otherwise?: string): void => {
    const value = members.get(key.toLowerCase()) ?? (isNew ? undefined : otherwise);
    if (value !== undefined) line.push([key, value]);
  };
  if (moduleId === undefined) {
    put('status', '"enabled"');
    put('statusReason', '""');
  }
  put('authentication');
  const { tags, desired } = twinOf(members);
  if (tags !== undefined || !isNew) line.push(['tags', tags ?? '{}']);
  if (desired !== undefined || !isNew) line.push(['properties', objectText([['desired', desired ?? '{}']])]);
  if (moduleId !== undefined) return objectText(line);
  put('capabilities', '{"iotEdge":false}');
  return objectText([...line, ...parentMembers(id, isNew, members)]);
}

function identityMembers(id: string, moduleId: string | undefined): [string, string][] {
  return [
    ['id', JSON.stringify(id)],
    ...(moduleId === undefined ? [] : [['moduleId', JSON.stringify(moduleId)] as [string, string]]),
  ];
}

/** The parent by its id, for its scope is another one once it has been made anew. */
function parentMembers(id: string, isNew: boolean, members: ReadonlyMap<string, string>): [string, string][] {
  const scopes = parsed(members.get('parentscopes'));
  const scope = parsed(members.get('devicescope'));
  const fields: ParentFields = {
    id,
    parent: undefined,
    deviceScope: typeof scope === 'string' && scope !== '' ? scope : undefined,
    parentScopes: Array.isArray(scopes) ? scopes.filter((each) => typeof each === 'string' && each !== '') : [],
  };
  const named = namedParent(fields);
  if (named.problem === undefined) {
    const { parent } = named;
    if (parent === null || parent === undefined) return isNew ? [] : [['parent', 'null']];
    return [['parent', JSON.stringify(parent)]];
  }
  // Of a form that no hub makes: the check of the file says so of its line.
  return [
    ...(fields.deviceScope === undefined ? [] : [['deviceScope', JSON.stringify(fields.deviceScope)] as const]),
    ...(fields.parentScopes.length === 0 ? [] : [['parentScopes', JSON.stringify(fields.parentScopes)] as const]),
  ].map(([key, value]) => [key, value]);
}

function parsed(text: string | undefined): unknown {
  return text === undefined ? undefined : (JSON.parse(text) as unknown);
}

/** The members that say something; a hub reads their names without regard to case. */
function membersInLowerCase(text: string): Map<string, string> {
  const members = new Map<string, string>();
  for (const { key, value } of membersOf(text)) if (value !== 'null') members.set(key.toLowerCase(), value);
  return members;
}

function hasReported(members: ReadonlyMap<string, string>): boolean {
  const properties = members.get('properties');
  if (properties === undefined || !isObjectText(properties)) return false;
  const reported = memberMap(properties).get('reported');
  if (reported === undefined || !isObjectText(reported)) return false;
  return membersOf(reported).some(({ key }) => !key.startsWith('$'));
}
