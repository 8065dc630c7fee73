import { defined } from '../../defined.ts';
import { IMPORT_MODES } from '../../devicesFile/importMode.ts';
import type { KindOfRun } from '../../runs/parseRunRecord.ts';
import {
  type Fields,
  holding,
  isCounts,
  isInstant,
  isNumber,
  isObject,
  isText,
  isTrue,
} from '../../runs/recordShape.ts';
import { isSent, PROVISION_PHASES, type ProvisionRun } from './provisionRun.ts';

/** Records of runs that provision. */
export const PROVISION_KIND: KindOfRun<ProvisionRun> = {
  version: 2,
  upgrade: (record) => (record['version'] === 1 ? fromVersion1(record) : record),
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
    appliedFor: isText,
    options: isObject,
    check: holding({ lines: isNumber, rejected: isNumber, skipped: isNumber, byMode: isObject }),
    preImage: holding({ container: isText, blobName: isText, epoch: isText }),
    kept: isObject,
    plan: holding({ effects: isCounts, disabled: isNumber, lackingParent: isNumber }),
    importSentAt: isInstant,
    importClosed: isTrue,
    wavesOpened: isTrue,
    stagingLost: holding({ at: isInstant, what: isText, times: isNumber }),
    configurations: holding({ lines: isNumber, accepted: isNumber, rejected: isNumber }),
  },
  canUndo: (run) => run.preImage !== undefined || hasOnlyCreated(run),
};

/** What only creates overwrites nothing: it has no pre-image, and is undone by deletes. */
function hasOnlyCreated(run: ProvisionRun): boolean {
  const { check, options } = run;
  if (check === undefined || options?.dryRun === true || !isSent(run)) return false;
  return (
    IMPORT_MODES.every((mode) => (check.byMode[mode] ?? 0) === 0 || mode === 'create') && (check.byMode.create ?? 0) > 0
  );
}

/** Before its version 2, a record had a field for each job, and called an epoch of the pre-image a round. */
function fromVersion1(record: Fields): Fields {
  const { job, exportJob, retryJob, verifyJob, parentsJob, preImage, retry, roundsOpened, ...rest } = record;
  const jobs = {
    export: renamed(exportJob, 'round', 'epoch'),
    import: job,
    retry: retryJob,
    verify: verifyJob,
    parents: parentsJob,
  };
  return {
    ...rest,
    version: 2,
    jobs: Object.fromEntries(Object.entries(jobs).filter(([, noted]) => noted !== undefined)),
    ...(preImage === undefined ? {} : { preImage: renamed(preImage, 'round', 'epoch') }),
    ...(retry === undefined ? {} : { progress: renamed(retry, 'round', 'part') }),
    ...defined({ wavesOpened: roundsOpened }),
  };
}

/** Whatever a damaged record has there stays, and is found out. */
function renamed(value: unknown, from: string, to: string): unknown {
  if (!isObject(value) || value[from] === undefined) return value;
  const { [from]: member, ...rest } = value;
  return { ...rest, [to]: member };
}
