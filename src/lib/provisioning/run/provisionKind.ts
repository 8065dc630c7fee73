import type { KindOfRun } from '../../runs/parseRunRecord.ts';
import { holding, isCounts, isInstant, isJob, isNumber, isObject, isText, isTrue } from '../../runs/recordShape.ts';
import { JOB_FIELDS, PROVISION_PHASES, type ProvisionRun } from './provisionRun.ts';

/** Records of runs that provision. */
export const PROVISION_KIND: KindOfRun<ProvisionRun> = {
  version: 1,
  phases: PROVISION_PHASES,
  required: {
    batch: isText,
    drop: holding({
      account: isText,
      container: isText,
      blobName: isText,
      etag: isText,
      size: isNumber,
      lastModified: isInstant,
    }),
  },
  optional: {
    options: isObject,
    check: holding({ lines: isNumber, rejected: isNumber, skipped: isNumber, byMode: isObject }),
    ...Object.fromEntries(JOB_FIELDS.map((name) => [name, isJob])),
    preImage: holding({ container: isText, blobName: isText, round: isText }),
    retry: holding({ round: isText, lines: isNumber, left: isNumber }),
    kept: isObject,
    plan: holding({ effects: isCounts, disabled: isNumber, lackingParent: isNumber }),
    importSentAt: isInstant,
    importClosed: isTrue,
    roundsOpened: isTrue,
    stagingLost: holding({ at: isInstant, what: isText, times: isNumber }),
    configurations: holding({ lines: isNumber, accepted: isNumber, rejected: isNumber }),
  },
  canUndo: ({ preImage }) => preImage !== undefined,
};
