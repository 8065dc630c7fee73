/** Options of a provisioning run (blob metadata, or `options.json` in the drop's folder). */

import type { ImportMode } from '../../devicesFile/importMode.ts';

export interface ProvisionOptions {
  /** For lines that name none. Default `createOrUpdate`. */
  readonly importMode: ImportMode;
  /** `skip` reports invalid lines and imports the rest; `abort` refuses the whole file. Default `skip`. */
  readonly onInvalidLine: 'skip' | 'abort';
  /** More rejected lines than this refuse the whole file, before the job. Absent: no limit. */
  readonly maxRejects?: number;
  /** `keep` never lets a line without keys rotate those of an existing device; `regenerate` lets the hub make new ones. */
  readonly missingKeys: 'keep' | 'regenerate';
  /**
   * `auto` takes a pre-image before anything but pure creates; `never` takes none: faster, nothing can be put back, and
   * lines that leave out what an import would reset are rejected. Needs `confirm`. Default `auto`.
   */
  readonly backupFirst: 'auto' | 'never';
  /** Check, count and report; start no job. */
  readonly dryRun: boolean;
  /** How long to keep trying when the hub cannot be reached or has trouble, minutes. Default 60. */
  readonly retryMinutes: number;
  /** The hub's name, typed by a person who means it. */
  readonly confirm?: string;
}
