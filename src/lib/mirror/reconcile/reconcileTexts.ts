import { type CodeText, speakerOf } from '../../codeText.ts';
import { WorkRefused } from '../../work/workRefused.ts';
import { MIRROR_QUERY_TEXTS } from '../query/queryTexts.ts';

/** Why the mirror of a hub is not compared with it. */
export const RECONCILE_TEXTS = {
  mirrorOff: MIRROR_QUERY_TEXTS.mirrorOff,
  'mirrorOff:hub': {
    says: 'The hub {hub} is not mirrored: the settings name Event Hubs of other hubs alone.',
    action: 'Set MIRROR_EVENTS_{hub}, or MIRROR_EVENTS for all hubs (docs/mirror.md), then try again.',
  },
  mirrorUnavailable: {
    says: 'The store of the mirror does not answer.',
    action: 'Look at the table service of the storage account, then start it again.',
    retried: true,
  },
} as const satisfies Record<string, CodeText>;

export const sayReconcile = speakerOf(RECONCILE_TEXTS);

/** @param hub alias of one that is not mirrored; absent: none is */
export function mirrorOff(hub?: string): WorkRefused {
  return new WorkRefused(hub === undefined ? sayReconcile('mirrorOff') : sayReconcile('mirrorOff:hub', { hub }));
}
