/** The lines of a devices file that put an identity back. They hold keys. */

import type { ImportMode } from '../devicesFile/importMode.ts';
import { withoutHubKeys } from '../devicesFile/lineText.ts';
import { isModuleLine } from '../registryLines/snapshot.ts';
import { twinOf } from '../registryLines/twinText.ts';
import { memberMap, objectText } from '../textFile/jsonMembers.ts';
import { parentIn } from './parentIn.ts';
import type { Undo } from './undoOf.ts';

export interface UndoTexts {
  readonly before: string | undefined;
  readonly live: string | undefined;
  /** Without comparing ETags: whatever has changed meanwhile is written over. */
  readonly force: boolean;
}

/**
 * The line that does it; undefined where no line can: nothing is to be done, or the hub makes the identity itself.
 *
 * What is there is written only as it was when it was looked at: who changes it between that and the import is not
 * undone, the hub refuses the line.
 */
export function undoLine(undo: Undo, texts: UndoTexts): string | undefined {
  switch (undo.do) {
    case 'nothing':
    case 'foreign':
      return undefined;
    case 'remove':
      return texts.live === undefined ? undefined : removeLine(texts.live, texts.force);
    case 'recreate':
      return texts.before === undefined ? undefined : writtenLine(texts.before, 'create', [], true);
    case 'restore': {
      const { before, live, force } = texts;
      if (before === undefined || live === undefined) return undefined;
      const etags = force ? [] : etagsOf(live);
      const mode = etags.some(([key]) => key === 'eTag') ? 'updateIfMatchETag' : 'update';
      if (undo.linkOnly) return linkLine(before, live, force);
      return writtenLine(before, mode, mode === 'update' ? [] : etags, undo.fields.includes('parent'));
    }
  }
}

function removeLine(live: string, force: boolean): string {
  const members = memberMap(live);
  const eTag = force ? undefined : etagsOf(live).find(([key]) => key === 'eTag');
  const mode: ImportMode = eTag === undefined ? 'delete' : 'deleteIfMatchETag';
  return objectText([...idsOf(members), ['importMode', JSON.stringify(mode)], ...(eTag === undefined ? [] : [eTag])]);
}

/** All else stays as the device has it when the line is applied. */
function linkLine(before: string, live: string, force: boolean): string {
  const members = memberMap(live);
  const eTag = force ? undefined : etagsOf(live).find(([key]) => key === 'eTag');
  return objectText([
    ...idsOf(members),
    ['importMode', eTag === undefined ? '"update"' : '"updateIfMatchETag"'],
    ...(eTag === undefined ? [] : [eTag]),
    ['parent', JSON.stringify(parentIn(before) ?? null)],
  ]);
}

type Members = readonly [key: string, value: string][];

/** The identity in full, with the whole twin: what is not in these sections goes. */
function writtenLine(before: string, mode: ImportMode, etags: Members, withParent: boolean): string {
  const members = memberMap(before);
  const { tags = '{}', desired = '{}' } = twinOf(members);
  const authentication = members.get('authentication');
  const isModule = isModuleLine(JSON.parse(before) as { readonly moduleId?: string | null });
  const given = (key: string, absent: string): [string, string] => {
    const value = members.get(key);
    return [key, value === undefined || value === 'null' ? absent : value];
  };
  return objectText([
    ...idsOf(members),
    ['importMode', JSON.stringify(mode)],
    ...etags,
    ...(isModule ? [] : [given('status', '"enabled"'), given('statusReason', '""')]),
    ...(authentication === undefined || authentication === 'null'
      ? []
      : [['authentication', authentication] as [string, string]]),
    ['tags', withoutHubKeys(tags)],
    ['properties', objectText([['desired', desired]])],
    ...(isModule ? [] : [given('capabilities', '{"iotEdge":false}')]),
    ...(isModule || !withParent ? [] : [['parent', JSON.stringify(parentIn(before) ?? null)] as [string, string]]),
  ]);
}

function idsOf(members: ReadonlyMap<string, string>): Members {
  return ['id', 'moduleId'].flatMap((key): [string, string][] => {
    const value = members.get(key);
    return value === undefined || value === 'null' ? [] : [[key, value]];
  });
}

function etagsOf(live: string): Members {
  const members = memberMap(live);
  return ['eTag', 'twinETag'].flatMap((key): [string, string][] => {
    const value = members.get(key);
    return value === undefined || value === 'null' || value === '""' ? [] : [[key, value]];
  });
}
