/** What an undo says in words beside the counts of its plan: what cannot return and what nobody can tell. */

import { type CodeText, type Said, speakerOf } from '../codeText.ts';
import { countText } from '../countText.ts';
import type { RunEffects } from '../runs/runEffects.ts';
import type { RestPart, RestPartName } from '../work/restParts.ts';
import type { UndoCounts } from './writeUndo.ts';

export const UNDO_NOTES = {
  recreated: {
    says: '{identities} that the run deleted are made again, with the keys that they had. Their generation, reported properties, connection state, queued messages and times do not come back.',
    action: 'Reported properties return when the devices report them.',
  },
  foreign: {
    says: '{identities} {were} changed by somebody else since the run, and left alone.',
    action: 'Look at the details; to put these back, too, use --force.',
  },
  forced: {
    says: 'With --force, what somebody else has changed since the run is put back, too.',
  },
  keysUnknown: {
    says: 'Of {identities} the hub made the keys: whether somebody else has changed these since the run cannot be told.',
  },
  modulesUnknown: {
    says: 'The run deleted devices, and kept no copy of their modules and of the devices below them, as an earlier version of HubKeeper read them: these do not come back.',
    action: 'Restore them from a backup that is older than the run.',
  },
  managersUnknown: {
    says: 'managedBy of {modules} does not come back: the run copied what was there by an export, which does not hold it, and the hub did not show it before the run.',
    action: 'Take it from a backup that is older than the run.',
  },
  restStays: {
    says: 'What the run did beside its lines is not undone: {what}.',
    action: 'Restore a backup that is older than the run to put these back, too.',
    doc: {
      says: 'What the run, a restore, a delete-all or an undo, did beside its lines is not undone: configurations, managedBy of modules, edge modules.',
    },
  },
  configurationsStay: {
    says: 'What deleted configurations have set on devices stays set.',
  },
} as const satisfies Record<string, CodeText>;

const say = speakerOf(UNDO_NOTES);

export interface UndoNotesInput {
  readonly counts: UndoCounts;
  readonly force: boolean;
  readonly preImage: RunEffects['preImage'];
  readonly deletedConfigurations: number;
  /** What the run that is undone did beside the lines. Default: nothing. */
  readonly rest?: readonly Pick<RestPart, 'part' | 'items'>[];
}

const PARTS: Readonly<Record<RestPartName, readonly [one: string, more: string]>> = {
  systemModules: ['edge modules of 1 device', 'edge modules of {count} devices'],
  managedBy: ['managedBy of 1 module', 'managedBy of {count} modules'],
  configurations: ['1 configuration', '{count} configurations'],
};

/** In the order in which they matter. */
export function undoNotes(input: UndoNotesInput): readonly Said<string>[] {
  const { counts, force, preImage, deletedConfigurations, rest = [] } = input;
  const { recreate, foreign, unknownKeys, unknownManagers } = counts;
  const were = foreign === 1 ? 'was' : 'were';
  return [
    ...(foreign === 0 ? [] : [say('foreign', { identities: counted(foreign, 'identity', 'identities'), were })]),
    ...(force ? [say('forced')] : []),
    ...(recreate === 0 ? [] : [say('recreated', { identities: counted(recreate, 'identity', 'identities') })]),
    ...(preImage?.hasRelatives === false && recreate > 0 ? [say('modulesUnknown')] : []),
    ...(unknownManagers === 0
      ? []
      : [say('managersUnknown', { modules: counted(unknownManagers, 'module', 'modules') })]),
    ...(unknownKeys === 0 ? [] : [say('keysUnknown', { identities: counted(unknownKeys, 'identity', 'identities') })]),
    ...(rest.length === 0 ? [] : [say('restStays', { what: rest.map(partText).join(', ') })]),
    ...(deletedConfigurations === 0 ? [] : [say('configurationsStay')]),
  ];
}

function counted(count: number, one: string, more: string): string {
  return `${countText(count)} ${count === 1 ? one : more}`;
}

function partText({ part, items }: Pick<RestPart, 'part' | 'items'>): string {
  const [one, more] = PARTS[part];
  return items === 1 ? one : more.replace('{count}', countText(items));
}
