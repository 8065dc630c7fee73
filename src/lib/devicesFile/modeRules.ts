/** What each import mode writes (IoT Hub docs, "Import and export IoT Hub device identities in bulk"). */

import type { ImportMode } from './importMode.ts';

export interface ModeRules {
  /** The hub writes the identity: keys, status, capabilities. */
  readonly writesIdentity: boolean;
  /** It may write over one that exists. */
  readonly mayOverwrite: boolean;
  readonly writesTwin: boolean;
  readonly needs?: { readonly etag: 'eTag' | 'twinETag'; readonly instead: ImportMode };
}

const CREATE: ModeRules = { writesIdentity: true, mayOverwrite: false, writesTwin: true };
const OVERWRITE: ModeRules = { writesIdentity: true, mayOverwrite: true, writesTwin: true };
const TWIN: ModeRules = { writesIdentity: false, mayOverwrite: false, writesTwin: true };
const DELETE: ModeRules = { writesIdentity: false, mayOverwrite: false, writesTwin: false };

export const MODE_RULES: Readonly<Record<ImportMode, ModeRules>> = {
  create: CREATE,
  createOrUpdate: OVERWRITE,
  createOrUpdateIfMatchETag: { ...OVERWRITE, needs: { etag: 'eTag', instead: 'createOrUpdate' } },
  update: OVERWRITE,
  updateIfMatchETag: { ...OVERWRITE, needs: { etag: 'eTag', instead: 'update' } },
  updateTwin: TWIN,
  updateTwinIfMatchETag: { ...TWIN, needs: { etag: 'twinETag', instead: 'updateTwin' } },
  delete: DELETE,
  deleteIfMatchETag: { ...DELETE, needs: { etag: 'eTag', instead: 'delete' } },
};
