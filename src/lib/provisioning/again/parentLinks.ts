/** What the container of a run holds of the linking of devices to their parents, and what became of each link. */

import type { BlockBlobClient } from '@azure/storage-blob';

import { explainHubError } from '../../registry/index.ts';
import type { ExportRequest } from '../../registryLines/adoptExport.ts';
import { createIdentityNotes } from '../../registryLines/identityNotes.ts';
import type { Verdict } from '../../runs/outcomes.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { rowsOf } from '../../storage/ndjson.ts';
import { readParentRows } from '../check/parentRows.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import { type OutcomeKey, verdict } from '../texts/outcomeTexts.ts';
import { type LineState, type ParentLinks, readWaveResults, type Wave, type WavesState } from './waves.ts';

/** Why a device could not be given its parent. */
export type LinkFailure = 'DeviceNotFound' | 'ParentNotFound' | 'ParentNotEdge' | 'ParentCycle' | 'ParentTooDeep';

/** Blob of `ParentRow`s. */
export function rowsBlob(context: ProvisioningContext, record: ProvisionRun, attempt: string): BlockBlobClient {
  return stagingOf(context, record.runId).getBlockBlobClient(`parents-rows-${attempt}.ndjson`);
}

/** The export by which devices are linked. */
export function parentsExport({ attempt }: ParentLinks): ExportRequest {
  return { blobName: `parents-registry-${attempt}.txt`, keys: 'included' };
}

export interface PlanBlobs {
  /** `[id, failure]` of devices that are not to be sent: null where the parent is right already. */
  readonly decided: BlockBlobClient;
  /** Lines that link, level by level. Holds keys. */
  readonly lines: BlockBlobClient;
}

export function planBlobs(context: ProvisioningContext, record: ProvisionRun, plan: string): PlanBlobs {
  const staging = stagingOf(context, record.runId);
  return {
    decided: staging.getBlockBlobClient(`parents-decided-${plan}.ndjson`),
    lines: staging.getBlockBlobClient(`parents-lines-${plan}.txt`),
  };
}

export type DecidedRow = readonly [id: string, failure: LinkFailure | null];

/** Name of the wave of a level. */
export function waveOfLevel(pass: number, level: number): string {
  return `parents-${pass}-${level}`;
}

export function wavesOfPass(waves: readonly Wave[], pass: number): readonly Wave[] {
  return waves.filter(({ name }) => name.startsWith(`parents-${pass}-`));
}

/** Not linked before the run ended. */
const NOT_SET = 'ParentNotSet';
const RIGHT = '';

export interface LinkOutcomes {
  /** Why a device does not have the parent that its line names; undefined if it has it, or names none. */
  failureOf(id: string): string | undefined;
}

export async function readLinkOutcomes(
  context: ProvisioningContext,
  record: ProvisionRun,
  { parents, waves }: Pick<WavesState, 'parents' | 'waves'>,
): Promise<LinkOutcomes> {
  if (parents === undefined) return { failureOf: () => undefined };
  const notes = createIdentityNotes();
  for (const { pass, attempt, plan } of [...parents.earlier, parents]) {
    for await (const [id] of readParentRows(rowsBlob(context, record, attempt))) {
      notes.set(id, undefined, NOT_SET);
    }
    if (plan === undefined) continue;
    for await (const [id, failure] of rowsOf<DecidedRow>(planBlobs(context, record, plan).decided)) {
      notes.set(id, undefined, failure ?? RIGHT);
    }
    for (const wave of wavesOfPass(waves, pass)) {
      for await (const { line, state } of readWaveResults(context, record, wave)) {
        notes.set(line.id, undefined, wordOf(state));
      }
    }
  }
  return {
    failureOf(id) {
      const word = notes.find(id, undefined);
      return word === undefined || word === RIGHT ? undefined : String(word);
    },
  };
}

function wordOf({ is, code }: LineState): string {
  return is === 'succeeded' || is === 'warned' ? RIGHT : (code ?? NOT_SET);
}

const LINK_TEXTS = {
  DeviceNotFound: 'DeviceNotFound:linked',
  ParentNotFound: 'ParentNotFound',
  ParentNotEdge: 'ParentNotEdge',
  ParentCycle: 'ParentCycle',
  ParentTooDeep: 'ParentTooDeep',
  ParentNotSet: 'ParentNotSet',
} as const satisfies Record<LinkFailure | typeof NOT_SET, OutcomeKey>;

/** What is said of a line whose device could not be given its parent. */
export function explainLinkFailure(code: string): Verdict {
  if (Object.hasOwn(LINK_TEXTS, code)) return verdict(LINK_TEXTS[code as LinkFailure]);
  const { name, sentence } = explainHubError(code);
  return { ...verdict('ParentNotSet:error', { error: sentence }), code: name };
}
