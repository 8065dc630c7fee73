import { expect, it } from 'vitest';

import { differingFields } from '../../../../src/lib/mirror/reconcile/rowDifference.ts';
import type { ShownIdentity } from '../../../../src/lib/mirror/reconcile/shownIdentity.ts';
import type { MirrorRow } from '../../../../src/lib/mirror/rows/row.ts';
import { rowOf, shownOf } from './sampleMirror.ts';

const { identity: _identity, ...unread } = rowOf();
const twin = { tags: {}, desired: {}, reported: {}, version: 2 };

it.each<[string, Partial<MirrorRow>, Partial<ShownIdentity>, string[]]>([
  ['nothing', {}, {}, []],
  ['status', {}, { status: 'disabled' }, ['status']],
  ['reason', {}, { statusReason: 'lost' }, ['statusReason']],
  ['a reason that is gone', { identity: { status: 'enabled', statusReason: 'x' } }, {}, ['statusReason']],
  ['edge', {}, { edge: true }, ['edge']],
  ['edge, which the row does not name', { identity: { status: 'enabled' } }, {}, []],
  ['parent', {}, { parent: 'gate' }, ['parent']],
  ['a parent that is not told', { identity: { status: 'enabled', parent: 'gate' } }, { parent: undefined }, []],
  ['type of authentication', {}, { authenticationType: 'selfSigned' }, ['authenticationType']],
  ['its spelling', {}, { authenticationType: 'SAS' }, []],
  ['a type that the row does not have', { identity: { status: 'enabled' } }, { authenticationType: 'sas' }, []],
  ['a tag', {}, { tags: { site: 'lisboa' } }, ['tags.site']],
  ['tags, new and gone', {}, { tags: { a: { b: 1 } } }, ['tags.a.b', 'tags.site']],
  ['the order of keys', { twin: { ...twin, tags: { a: 1, b: 2 } } }, { tags: { b: 2, a: 1 }, desired: {} }, []],
  ['desired', {}, { desired: { t: 2 } }, ['properties.desired.t']],
  ['reported', {}, { reported: { fw: 1 } }, ['properties.reported.fw']],
  ['sections that are not told', {}, { tags: undefined, desired: undefined, reported: undefined }, []],
])('%s', (_, row, shown, fields) => expect(differingFields(rowOf(row), shownOf(shown))).toEqual(fields));

it('an identity that was never read does not differ, its twin may', () => {
  expect(differingFields(unread, shownOf({ status: 'disabled', tags: {} }))).toEqual(['tags.site']);
});
