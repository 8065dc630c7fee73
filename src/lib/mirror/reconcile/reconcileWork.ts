/**
 * What a reconcile does: the registry is exported (or a backup of it taken), spread over the buckets of the store, and
 * compared with its rows bucket by bucket; what has drifted is repaired, unless it is a dry run. Rows that are newer than
 * the snapshot are left alone.
 */

import { exportStages } from '../../work/exportStages.ts';
import type { KindOfWork } from '../../work/stage.ts';
import { orRefused } from '../../work/workRefused.ts';
import type { MirrorStore } from '../store/mirrorStore.ts';
import { compareStage } from './compareStage.ts';
import { endWithReport } from './reconcileReport.ts';
import { mirrorOff } from './reconcileTexts.ts';
import { chooseSource } from './sourceStage.ts';
import { split } from './splitStage.ts';
import { orStoreTrouble } from './storeTrouble.ts';

/** @param mirrorStore undefined: the mirror is off */
export function reconcileWork(mirrorStore: () => MirrorStore | undefined): KindOfWork {
  const store = (): MirrorStore => {
    const opened = mirrorStore();
    if (opened === undefined) throw mirrorOff();
    return opened;
  };
  return {
    first: 'open',
    stages: {
      open: {
        work: () =>
          orRefused(async () => {
            await orStoreTrouble(() => store().prepare());
            return { go: 'source' };
          }),
      },
      source: { work: chooseSource },
      // No key is mirrored, and none is to lie about.
      ...exportStages({ keys: () => 'excluded', next: 'split' }),
      split: { work: split },
      compare: compareStage(store, 'report'),
      report: { work: endWithReport },
    },
  };
}
