import { type CodeText, speakerOf } from '../../codeText.ts';
import { WorkRefused } from '../../work/workRefused.ts';

/** Why the mirror of a hub is not compared with it. */
export const RECONCILE_TEXTS = {
  mirrorOff: {
    says: 'The mirror is off: no setting names the Event Hub that lifecycle events of the hub are routed to.',
    action: 'Set MIRROR_EVENTS (docs/settings.md), then try again.',
  },
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
