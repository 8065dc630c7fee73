import { describe, expect, it } from 'vitest';

import type { ImportMode } from '../../../src/lib/devicesFile/importMode.ts';
import type { Applied } from '../../../src/lib/runs/runEffects.ts';
import { type UndoCase, undoOf } from '../../../src/lib/undo/undoOf.ts';

type Fields = Readonly<Record<string, unknown>>;

const key = (name: string) => Buffer.from(name.padEnd(32, '.')).toString('base64');
const sas = (name: string) => ({
  symmetricKey: { primaryKey: key(name), secondaryKey: key(`${name}2`) },
  x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
  type: 'sas',
});
/** A line of a registry. */
const there = (fields: Fields = {}): Fields => ({
  id: 'd',
  eTag: 'MQ==',
  status: 'enabled',
  statusReason: '',
  authentication: sas('old'),
  twinETag: 'AAAAAAAAAAE=',
  tags: { site: 'north' },
  properties: { desired: { a: 1 }, reported: { r: 1 } },
  capabilities: { iotEdge: false },
  ...fields,
});
const scope = (id: string, ticks = 1) => `ms-azure-iot-edge://${id}-${ticks}`;
const below = (id: string, ticks = 1): Fields => ({
  deviceScope: scope(id, ticks),
  parentScopes: [scope(id, ticks)],
});

interface Row {
  readonly before?: Fields;
  readonly line?: Fields;
  readonly mode?: ImportMode;
  readonly applied?: Applied;
  readonly parent?: string | null;
  readonly live?: Fields;
  readonly more?: Partial<UndoCase>;
  /** What is done, and the fields that are told; with `unknown` the keys cannot be told. */
  readonly is: string;
  /** The same with --force; default: as without. */
  readonly forced?: string;
}

const said = (given: UndoCase): string => {
  const undo = undoOf(given);
  return [
    undo.do,
    ...('fields' in undo ? undo.fields : []),
    ...('linkOnly' in undo && undo.linkOnly ? ['(link only)'] : []),
    ...('keysUnknown' in undo && undo.keysUnknown ? ['(keys unknown)'] : []),
  ].join(' ');
};

function caseOf({ before, line, mode, applied = 'yes', parent, live, more }: Row): UndoCase {
  const text = (fields: Fields | undefined) => (fields === undefined ? undefined : JSON.stringify(fields));
  return {
    before: text(before),
    live: text(live),
    line: mode && {
      mode,
      applied,
      text: JSON.stringify({ id: 'd', importMode: mode, status: 'enabled', ...line }),
      ...(parent === undefined ? {} : { parent }),
    },
    ...more,
  };
}

const CREATED = { authentication: sas('new'), tags: { v: 1 } };
const MADE = there({ ...CREATED, properties: { desired: {}, reported: {} } });
const CHANGED = { authentication: sas('new'), status: 'disabled', statusReason: 'bad', tags: { v: 1 } };
const AFTER = there({ ...CHANGED });

const ROWS: Readonly<Record<string, Row>> = {
  // What a configuration of the hub sets follows from the tags.
  'changed, its tags too, and what a configuration sets is gone': {
    before: there({ properties: { desired: { a: 1, zone: 2 } } }),
    mode: 'update',
    line: CHANGED,
    live: AFTER,
    more: { isConfigured: (field) => field === 'properties.desired.zone' },
    is: 'restore status statusReason authentication.symmetricKey.primaryKey authentication.symmetricKey.secondaryKey tags.site tags.v properties.desired.zone',
  },
  'changed, but for its tags, and what a configuration sets is gone': {
    before: there({ properties: { desired: { a: 1, zone: 2 } } }),
    mode: 'update',
    line: { status: 'disabled' },
    live: there({ status: 'disabled' }),
    more: { isConfigured: (field) => field === 'properties.desired.zone' },
    is: 'foreign properties.desired.zone',
    forced: 'restore status properties.desired.zone (keys unknown)',
  },
  'created, and a configuration has set something': {
    mode: 'create',
    line: CREATED,
    live: there({ ...CREATED, properties: { desired: { zone: 2 } } }),
    more: { isConfigured: (field) => field === 'properties.desired.zone' },
    is: 'remove',
  },
  // What the run made.
  'created, and as it was made': { mode: 'create', line: CREATED, live: MADE, is: 'remove' },
  'created without keys': {
    mode: 'create',
    line: { tags: { v: 1 } },
    live: there({ tags: { v: 1 }, properties: { desired: {} } }),
    is: 'remove (keys unknown)',
  },
  'created, and gone again': { mode: 'create', line: CREATED, is: 'nothing' },
  'created with another key than it has now': {
    mode: 'create',
    line: CREATED,
    live: { ...MADE, authentication: sas('theirs') },
    is: 'foreign authentication.symmetricKey.primaryKey authentication.symmetricKey.secondaryKey',
    forced: 'remove',
  },
  'created, and given tags by somebody else': {
    mode: 'create',
    line: CREATED,
    live: { ...MADE, tags: { v: 1, theirs: true } },
    is: 'foreign tags.theirs',
    forced: 'remove',
  },
  'created, and blocked by somebody else': {
    mode: 'create',
    line: CREATED,
    live: { ...MADE, status: 'disabled' },
    is: 'foreign status',
    forced: 'remove',
  },
  'created, and has reported since': {
    mode: 'create',
    line: CREATED,
    live: { ...MADE, properties: { desired: {}, reported: { seen: 1 } }, eTag: 'Mg==' },
    is: 'remove',
  },
  'created with a parent, which it has': {
    mode: 'create',
    line: CREATED,
    parent: 'edge',
    live: { ...MADE, ...below('edge') },
    is: 'remove',
  },
  'created with a parent, and moved to another': {
    mode: 'create',
    line: CREATED,
    parent: 'edge',
    live: { ...MADE, ...below('other') },
    is: 'foreign parent',
    forced: 'remove',
  },
  'created with a parent, and not linked to it': {
    mode: 'create',
    line: CREATED,
    parent: 'edge',
    live: MADE,
    is: 'remove',
  },
  'created by createOrUpdate': { mode: 'createOrUpdate', line: CREATED, live: MADE, is: 'remove' },
  'created, with a module of somebody else': {
    mode: 'create',
    line: CREATED,
    live: MADE,
    more: { others: ['modules'] },
    is: 'foreign modules',
    forced: 'remove',
  },
  'perhaps created, with the keys of its line': {
    mode: 'create',
    applied: 'maybe',
    line: CREATED,
    live: MADE,
    more: { isBeforeKnown: false },
    is: 'remove',
  },
  'perhaps created without keys, and nobody knows whether it was there': {
    mode: 'create',
    applied: 'maybe',
    line: { tags: { v: 1 } },
    live: there({ tags: { v: 1 }, properties: { desired: {} } }),
    more: { isBeforeKnown: false },
    is: 'foreign created',
    forced: 'remove (keys unknown)',
  },
  'perhaps created without keys, where it was not': {
    mode: 'createOrUpdate',
    applied: 'maybe',
    line: { tags: { v: 1 } },
    live: there({ tags: { v: 1 }, properties: { desired: {} } }),
    is: 'remove (keys unknown)',
  },
  'perhaps created, and different now': {
    mode: 'create',
    applied: 'maybe',
    line: CREATED,
    live: there(),
    more: { isBeforeKnown: false },
    is: 'foreign authentication.symmetricKey.primaryKey authentication.symmetricKey.secondaryKey tags.site tags.v properties.desired.a',
    forced: 'remove',
  },
  'not created, as it was there': { mode: 'create', applied: 'no', line: CREATED, live: there(), is: 'nothing' },
  'perhaps created, where it was there before': {
    mode: 'create',
    applied: 'maybe',
    before: there(),
    line: CREATED,
    live: there(),
    is: 'nothing',
  },
  'created, after the pre-image that has it': {
    mode: 'create',
    before: there(),
    line: CREATED,
    live: MADE,
    is: 'remove',
  },
  'not updated, as it was not there': { mode: 'update', line: CREATED, live: MADE, is: 'nothing' },
  // What the run changed.
  'changed, and as the run left it': {
    mode: 'update',
    before: there(),
    line: CHANGED,
    live: AFTER,
    is: 'restore status statusReason authentication.symmetricKey.primaryKey authentication.symmetricKey.secondaryKey tags.site tags.v',
  },
  'changed in tags alone': {
    mode: 'createOrUpdate',
    before: there(),
    line: { authentication: sas('old'), tags: { site: 'south' } },
    live: there({ tags: { site: 'south' } }),
    is: 'restore tags.site',
  },
  'changed, and given keys by the hub': {
    mode: 'update',
    before: there(),
    line: { tags: { v: 1 } },
    live: there({ authentication: sas('made'), tags: { v: 1 } }),
    is: 'restore authentication.symmetricKey.primaryKey authentication.symmetricKey.secondaryKey tags.site tags.v (keys unknown)',
  },
  'changed, and put back by somebody': { mode: 'update', before: there(), line: CHANGED, live: there(), is: 'nothing' },
  'changed, and partly put back': {
    mode: 'update',
    before: there(),
    line: CHANGED,
    live: there({ ...CHANGED, status: 'enabled', statusReason: '' }),
    is: 'restore authentication.symmetricKey.primaryKey authentication.symmetricKey.secondaryKey tags.site tags.v',
  },
  'changed, and blocked for another reason by somebody else': {
    mode: 'update',
    before: there(),
    line: CHANGED,
    live: there({ ...CHANGED, statusReason: 'stolen' }),
    is: 'foreign statusReason',
    forced:
      'restore status statusReason authentication.symmetricKey.primaryKey authentication.symmetricKey.secondaryKey tags.site tags.v',
  },
  'changed, and rotated by somebody else': {
    mode: 'update',
    before: there(),
    line: { authentication: sas('new') },
    live: there({ authentication: sas('theirs') }),
    is: 'foreign authentication.symmetricKey.primaryKey authentication.symmetricKey.secondaryKey',
    forced: 'restore authentication.symmetricKey.primaryKey authentication.symmetricKey.secondaryKey',
  },
  'changed, and given a desired property by somebody else': {
    mode: 'update',
    before: there(),
    line: { authentication: sas('old'), properties: { desired: { a: 2 } } },
    live: there({ properties: { desired: { a: 2, theirs: 1 } } }),
    is: 'foreign properties.desired.theirs',
    forced: 'restore properties.desired.a properties.desired.theirs',
  },
  'changed from an object to a number, and by somebody else to another object': {
    mode: 'update',
    before: there({ tags: { a: { x: 1 } } }),
    line: { authentication: sas('old'), tags: { a: 5 } },
    live: there({ tags: { a: { x: 2 } } }),
    is: 'foreign tags.a.x',
    forced: 'restore tags.a.x',
  },
  'changed by a hub that left the keys that had to go': {
    mode: 'update',
    before: there(),
    line: { authentication: sas('old'), tags: { v: 1 } },
    live: there({ tags: { site: 'north', v: 1 } }),
    is: 'restore tags.v',
  },
  'changed, and deleted by somebody else': {
    mode: 'update',
    before: there(),
    line: CHANGED,
    is: 'foreign deleted',
    forced: 'recreate',
  },
  'changed in numbers that are written otherwise': {
    mode: 'update',
    before: there({ tags: { n: 1 } }),
    line: { authentication: sas('old'), tags: { n: 1 } },
    live: there({ tags: { n: 1.0 } }),
    is: 'nothing',
  },
  'perhaps changed, and was not': {
    mode: 'update',
    applied: 'maybe',
    before: there(),
    line: CHANGED,
    live: there(),
    is: 'nothing',
  },
  'perhaps changed, and was': {
    mode: 'update',
    applied: 'maybe',
    before: there(),
    line: { authentication: sas('old'), tags: { v: 1 } },
    live: there({ tags: { v: 1 } }),
    is: 'restore tags.site tags.v',
  },
  'perhaps changed, and is something else': {
    mode: 'update',
    applied: 'maybe',
    before: there(),
    line: { authentication: sas('old'), tags: { v: 1 } },
    live: there({ tags: { theirs: 1 } }),
    is: 'foreign tags.theirs',
    forced: 'restore tags.site tags.theirs',
  },
  'not changed, and by somebody else since': {
    mode: 'update',
    applied: 'no',
    before: there(),
    line: CHANGED,
    live: there({ status: 'disabled' }),
    is: 'nothing',
  },
  'made an edge device': {
    mode: 'update',
    before: there(),
    line: { authentication: sas('old'), capabilities: { iotEdge: true } },
    live: there({ capabilities: { iotEdge: true }, deviceScope: scope('d') }),
    is: 'restore capabilities.iotEdge',
  },
  'given a certificate': {
    mode: 'update',
    before: there(),
    line: { authentication: { type: 'certificateAuthority' } },
    live: there({
      authentication: { type: 'certificateAuthority', symmetricKey: { primaryKey: null, secondaryKey: null } },
    }),
    is: 'restore authentication.type authentication.symmetricKey.primaryKey authentication.symmetricKey.secondaryKey',
  },
  // Twins alone.
  'patched, and as the patch left it': {
    mode: 'updateTwin',
    before: there(),
    line: { tags: { site: null, v: 1 } },
    live: there({ tags: { v: 1 } }),
    is: 'restore tags.site tags.v',
  },
  'patched, and changed in another key by somebody else': {
    mode: 'updateTwin',
    before: there(),
    line: { tags: { v: 1 } },
    live: there({ tags: { site: 'theirs', v: 1 } }),
    is: 'foreign tags.site',
    forced: 'restore tags.site tags.v',
  },
  'patched, and its keys rotated by somebody else': {
    mode: 'updateTwin',
    before: there(),
    line: { tags: { v: 1 } },
    live: there({ tags: { site: 'north', v: 1 }, authentication: sas('theirs') }),
    is: 'foreign authentication.symmetricKey.primaryKey authentication.symmetricKey.secondaryKey',
    forced: 'restore authentication.symmetricKey.primaryKey authentication.symmetricKey.secondaryKey tags.v',
  },
  // Parents.
  'moved to another parent': {
    mode: 'update',
    before: there(below('one')),
    line: { authentication: sas('old') },
    parent: 'two',
    live: there(below('two')),
    is: 'restore parent',
  },
  'was to be moved, and was not': {
    mode: 'update',
    before: there(below('one')),
    line: { authentication: sas('old'), tags: { v: 1 } },
    parent: 'two',
    live: there({ ...below('one'), tags: { v: 1 } }),
    is: 'restore tags.site tags.v',
  },
  'moved, and moved on by somebody else': {
    mode: 'update',
    before: there(below('one')),
    line: { authentication: sas('old') },
    parent: 'two',
    live: there(below('three')),
    is: 'foreign parent',
    forced: 'restore parent',
  },
  'taken from its parent': {
    mode: 'update',
    before: there(below('one')),
    line: { authentication: sas('old') },
    parent: null,
    live: there(),
    is: 'restore parent',
  },
  'below an edge device that the run deleted, and unlinked': {
    before: there(below('one')),
    live: there(),
    more: { unlinked: true },
    is: 'restore parent (link only)',
  },
  'below one that was deleted, and changed by somebody else': {
    before: there(below('one')),
    live: there({ tags: { theirs: 1 } }),
    more: { unlinked: true },
    is: 'restore parent (link only)',
  },
  'below one that was deleted, and linked to another by somebody else': {
    before: there(below('one')),
    live: there(below('two')),
    more: { unlinked: true },
    is: 'foreign parent',
    forced: 'restore parent (link only)',
  },
  'below one that was deleted, and still has its scope': {
    before: there(below('one')),
    live: there(below('one')),
    more: { unlinked: true, needsLink: true },
    is: 'restore parent (link only)',
  },
  'below one that was to be deleted, and is there': {
    before: there(below('one')),
    live: there(below('one')),
    more: { unlinked: true, needsLink: false },
    is: 'nothing',
  },
  'below one that was deleted, and deleted by somebody else': {
    before: there(below('one')),
    more: { unlinked: true },
    is: 'nothing',
  },
  'changed, and unlinked as its edge device was deleted': {
    mode: 'update',
    before: there(below('one')),
    line: { authentication: sas('old'), tags: { v: 1 } },
    live: there({ tags: { v: 1 } }),
    more: { unlinked: true },
    is: 'restore tags.site tags.v parent',
  },
  // What the run deleted.
  deleted: { mode: 'delete', before: there(), is: 'recreate' },
  'deleted where its ETag was right': { mode: 'deleteIfMatchETag', before: there(), is: 'recreate' },
  'deleted, where nothing was': { mode: 'delete', is: 'nothing' },
  'deleted, where nothing was, and made by somebody since': { mode: 'delete', live: there(), is: 'nothing' },
  'deleted, and made again as it was': {
    mode: 'delete',
    before: there(),
    live: there({ eTag: 'OQ==' }),
    is: 'nothing',
  },
  'deleted, and made again otherwise': {
    mode: 'delete',
    before: there(),
    live: there({ authentication: sas('theirs') }),
    is: 'foreign authentication.symmetricKey.primaryKey authentication.symmetricKey.secondaryKey',
    forced: 'restore authentication.symmetricKey.primaryKey authentication.symmetricKey.secondaryKey',
  },
  'perhaps deleted, and is not there': { mode: 'delete', applied: 'maybe', before: there(), is: 'recreate' },
  'perhaps deleted, and is there': { mode: 'delete', applied: 'maybe', before: there(), live: there(), is: 'nothing' },
  'not deleted, but unlinked as its edge device was': {
    mode: 'delete',
    applied: 'maybe',
    before: there(below('one')),
    live: there(),
    more: { unlinked: true },
    is: 'restore parent (link only)',
  },
  'not deleted, and gone by somebody else': { mode: 'delete', applied: 'no', before: there(), is: 'nothing' },
  // Modules.
  'a module that went with its device': {
    before: there({ moduleId: 'm' }),
    more: { goneWithDevice: 'yes' },
    is: 'recreate',
  },
  'a module that went with its device, and was made again': {
    before: there({ moduleId: 'm' }),
    live: there({ moduleId: 'm', tags: {} }),
    more: { goneWithDevice: 'yes' },
    is: 'foreign tags.site',
    forced: 'restore tags.site',
  },
  'a module that was to go with its device, and did not': {
    before: there({ moduleId: 'm' }),
    live: there({ moduleId: 'm' }),
    more: { goneWithDevice: 'maybe' },
    is: 'nothing',
  },
  'a module that was changed, and its device perhaps deleted': {
    mode: 'update',
    before: there({ moduleId: 'm' }),
    line: { moduleId: 'm', authentication: sas('old'), tags: { v: 1 } },
    live: there({ moduleId: 'm', tags: { v: 1 } }),
    more: { goneWithDevice: 'maybe' },
    is: 'restore tags.site tags.v',
  },
  'a module whose manager an import has cleared': {
    mode: 'update',
    before: there({ moduleId: 'm', managedBy: 'someone' }),
    line: { moduleId: 'm', authentication: sas('old'), tags: { site: 'north' } },
    live: there({ moduleId: 'm', managedBy: null }),
    is: 'restore managedBy',
  },
  'what no line names and nothing ended': { before: there(), live: there({ status: 'disabled' }), is: 'nothing' },
};

describe('an identity that was', () => {
  it.each(Object.entries(ROWS))('%s', (_name, row) => {
    expect(said(caseOf(row))).toBe(row.is);
    expect(said({ ...caseOf(row), force: true })).toBe(row.forced ?? row.is);
  });
});
