import { type CodeText, speakerOf } from '../../codeText.ts';
import { WorkRefused } from '../../work/workRefused.ts';
import { MIRROR_QUERY_TEXTS } from '../query/queryTexts.ts';

/** Why the mirror of a hub is not compared with it. */
export const RECONCILE_TEXTS = {
  mirrorOff: MIRROR_QUERY_TEXTS.mirrorOff,
  mirrorUnavailable: {
    says: 'The store of the mirror does not answer.',
    action: 'Look at the table service of the storage account, then start it again.',
    retried: true,
  },
} as const satisfies Record<string, CodeText>;

export const sayReconcile = speakerOf(RECONCILE_TEXTS);

export function mirrorOff(): WorkRefused {
  return new WorkRefused(sayReconcile('mirrorOff'));
}
