/** What the container of a run holds of the linking of devices to their parents, and what became of each link. */

import type { BlockBlobClient } from '@azure/storage-blob';

import { explainHubError } from '../../registry/index.ts';
import type { ExportRequest } from '../../registryLines/adoptExport.ts';
import { createIdentityNotes } from '../../registryLines/identityNotes.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { rowsOf } from '../../storage/ndjson.ts';
import { readParentRows } from '../check/parentRows.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import { type LineState, type ParentLinks, type Round, type RoundsState, readRoundResults } from './rounds.ts';

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

/** Name of the round of a level. */
export function roundOfLevel(pass: number, level: number): string {
  return `parents-${pass}-${level}`;
}

export function roundsOfPass(rounds: readonly Round[], pass: number): readonly Round[] {
  return rounds.filter(({ name }) => name.startsWith(`parents-${pass}-`));
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
  { parents, rounds }: Pick<RoundsState, 'parents' | 'rounds'>,
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
    for (const round of roundsOfPass(rounds, pass)) {
      for await (const { line, state } of readRoundResults(context, record, round)) {
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

interface FailureText {
  readonly reason: string;
  readonly action: string;
}

const AGAIN = 'then drop failed-devices.txt.';

/** Why a device could not be given its parent, and what to do. `docs/file-format.md` has these too. */
export const LINK_FAILURES: Readonly<Record<LinkFailure | typeof NOT_SET, FailureText>> = {
  DeviceNotFound: {
    reason: 'it is not in the registry any more.',
    action: 'Drop failed-devices.txt to have it made again.',
  },
  ParentNotFound: {
    reason: 'the parent is not in the registry.',
    action: `Create the parent, or correct "parent"; ${AGAIN}`,
  },
  ParentNotEdge: {
    reason: 'the parent is no edge device.',
    action: `Give the parent "capabilities": {"iotEdge": true}, or correct "parent"; ${AGAIN}`,
  },
  ParentCycle: {
    reason: 'it would be above itself.',
    action: `Correct "parent" of one of the devices of the circle; ${AGAIN}`,
  },
  ParentTooDeep: {
    reason: 'a hub takes five edge devices above another at most.',
    action: `Give it a parent that is higher up; ${AGAIN}`,
  },
  ParentNotSet: {
    reason: 'the run ended before that, or the registry could not be read.',
    action: 'Drop failed-devices.txt to have it done.',
  },
};

/** The sentences of a link that failed. */
export function explainLinkFailure(code: string): FailureText & { readonly code: string } {
  const known = Object.hasOwn(LINK_FAILURES, code) ? LINK_FAILURES[code as LinkFailure] : undefined;
  const { name, sentence } = explainHubError(code);
  const { reason, action } = known ?? { reason: sentence, action: 'Drop failed-devices.txt to have it tried again.' };
  return {
    code: known === undefined ? name : code,
    reason: `The device is as the line says, but for its parent: ${reason}`,
    action,
  };
}
