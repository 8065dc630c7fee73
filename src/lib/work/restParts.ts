/**
 * The rest of what is put back: what no line of a devices file does, in parts that are worked through one after the other.
 * Each part is a blob of rows in the container of the run.
 */

import type { ItemOutcome } from '../registryExtras/hubWork.ts';

/** Rows are `SystemModulesPlan`s, `ModuleExtra`s and `ConfigurationChange`s. */
export const REST_PARTS = ['systemModules', 'managedBy', 'configurations'] as const;
export type RestPartName = (typeof REST_PARTS)[number];

export interface RestPart {
  readonly part: RestPartName;
  readonly blobName: string;
  readonly items: number;
}

/** How far the rest has come. */
export interface RestAt {
  /** Which part. */
  readonly part: number;
  /** Items of that part that are done. */
  readonly position: number;
  /** What became of items of all parts so far. */
  readonly outcomes: Readonly<Record<ItemOutcome['outcome'], number>>;
}

/** What a record of work says of its rest: in its plan where it has one. */
export function restOf({ notes }: { readonly notes?: Readonly<Record<string, unknown>> }): readonly RestPart[] {
  const { plan, rest } = (notes ?? {}) as { plan?: { rest?: readonly RestPart[] }; rest?: readonly RestPart[] };
  return plan?.rest ?? rest ?? [];
}
