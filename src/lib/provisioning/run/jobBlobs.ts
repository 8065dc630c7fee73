import type { Epoch } from './epoch.ts';

export const IMPORT_JOB_BLOB = 'job.json';
export const RETRY_JOB_BLOB = 'retry-job.json';

/** @param exportTry from 1 */
export const verifyJobBlob = (exportTry: number): string => `verify-job-${exportTry}.json`;
export const PARENTS_JOB_BLOB = 'parents-job.json';

/** Names of what each epoch of the pre-image has for itself. */
export const exportJobBlob = (epoch: Epoch) => `export-job-${epoch}.json`;
export const SETTLEMENT_BLOB = 'settlement.json';
