import type { ChangeKind } from '../registryLines/compareSnapshots.ts';

/** How far a restore goes, from the least to the most. */
export const RESTORE_MODES = ['missing', 'overwrite', 'exact'] as const;
export type RestoreMode = (typeof RESTORE_MODES)[number];

/** What a mode does about what has to change so that a hub comes to what is wanted. */
const DOES: Readonly<Record<RestoreMode, readonly ChangeKind[]>> = {
  missing: ['created'],
  overwrite: ['created', 'changed'],
  exact: ['created', 'changed', 'deleted'],
};

export function modeDoes(mode: RestoreMode, change: ChangeKind): boolean {
  return DOES[mode].includes(change);
}
