/** What a run did to a registry, for whoever puts it back: the door through which that is told of a run of any kind. */

import type { CodeText } from '../codeText.ts';
import type { ImportMode } from '../devicesFile/importMode.ts';
import type { ConfigurationInput } from '../registry/index.ts';
import type { Outcome } from './runRecord.ts';

/** Whether a line was applied; `maybe`: nothing tells, and the registry decides. */
export type Applied = 'yes' | 'no' | 'maybe';

/** One line that a run has given to the hub, and what became of it. Holds keys. */
export interface EffectLine {
  readonly id: string;
  readonly moduleId?: string;
  /** As the file asks. */
  readonly mode: ImportMode;
  /** As it was sent, with what was filled in; of a mode that merges, as the file has it: the patch. */
  readonly text: string;
  /** What the line says of the parent of its device, which is set later: null: it is to have none; absent: nothing. */
  readonly parent?: string | null;
  /** As the report has it. */
  readonly outcome: Outcome;
  /** Of the identity; a line that failed for its parent alone was applied. */
  readonly applied: Applied;
}

/** One configuration that a run has given to the hub. */
export interface ConfigurationEffect {
  readonly id: string;
  /** As it was before; absent: it was not there. */
  readonly before?: ConfigurationInput;
  readonly sent: ConfigurationInput;
  readonly applied: Applied;
}

export interface RunEffects {
  readonly runId: string;
  /** Alias of the hub. */
  readonly hub: string;
  /** When the run has ended, ISO UTC. */
  readonly finishedAt: string;
  /** What it was about to overwrite or delete, as it was; absent: it could only create. Holds keys. */
  readonly preImage?: EffectsPreImage;
  /** How many lines were given to the hub. */
  readonly lineCount: number;
  /** How many of them delete. */
  readonly deletes: number;
  /** In the order in which they were given; no two of one identity. Read anew each time. */
  lines(): AsyncIterable<EffectLine>;
  readonly configurations: readonly ConfigurationEffect[];
}

export interface EffectsPreImage {
  readonly container: string;
  readonly blobName: string;
  readonly etag?: string;
  /** `export`: it is the whole registry. */
  readonly way: 'single' | 'export';
  /** It has the modules of deleted devices and the devices below them; an earlier version did not read these singly. */
  readonly hasRelatives: boolean;
  /** Blob in the same container, of `ModuleManager`s; what is read singly has them in its lines. */
  readonly managers?: string;
}

/** Who managed a module, as the hub said before the run; null: nobody. */
export interface ModuleManager {
  readonly id: string;
  readonly moduleId: string;
  readonly managedBy: string | null;
}

export interface ReadEffectsOptions {
  /** Whoever only wants to know what a run has touched needs no pre-image: it is neither looked for nor demanded. */
  readonly preImage?: false;
}

/**
 * @throws HubKeeperError of `EFFECT_TEXTS`, when the run cannot be undone
 * @throws RunDamaged
 */
export type ReadEffects = (runId: string, options?: ReadEffectsOptions) => Promise<RunEffects>;

const NOTHING_CHANGED = 'Nothing was changed in the hub.' as const;

/** Why a run cannot be undone. */
export const EFFECT_TEXTS = {
  undoUnknownRun: {
    says: `There is no run {run}. ${NOTHING_CHANGED}`,
    action: 'Take an id from "hubkeeper runs".',
  },
  undoNotFinal: {
    says: `The run {run} has not ended yet ({state}): it cannot be undone while it works. ${NOTHING_CHANGED}`,
    action: 'Wait until it has ended, or cancel it; then undo it.',
  },
  undoNothing: {
    says: 'The run {run} is {state} and has sent nothing to the hub: there is nothing to undo.',
  },
  'undoNothing:dryRun': {
    says: 'The run {run} was a dry run and has sent nothing to the hub: there is nothing to undo.',
  },
  'undoNothing:kind': {
    says: 'The run {run} ({kind}) has applied no lines to the hub: there is nothing to undo.',
  },
  undoNoPreImage: {
    says: `The run {run} has taken no copy of what it overwrote or deleted (backupFirst never): it cannot be undone. ${NOTHING_CHANGED}`,
    action: 'Restore a backup that is older than the run.',
  },
  undoGone: {
    says: `What the run {run} kept to be undone from is gone ({blob}): it is kept for {days} days (UNDO_DAYS). ${NOTHING_CHANGED}`,
    action: 'Restore a backup that is older than the run.',
  },
  undoOtherHub: {
    says: `The run {run} was on the hub {was}, and {alias} is {name} now. ${NOTHING_CHANGED}`,
    action: 'Configure that hub again under this alias (IOTHUB, IOTHUB__<alias>).',
  },
  'undoOtherHub:unknown': {
    says: `The run {run} was on the hub {alias}, which is not configured any more. ${NOTHING_CHANGED}`,
    action: 'Configure it again (IOTHUB, IOTHUB__<alias>).',
  },
} as const satisfies Record<string, CodeText>;
