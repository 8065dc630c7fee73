import type { ContainerClient } from '@azure/storage-blob';

import { defined } from '../defined.ts';
import { writeJson } from '../storage/jsonBlob.ts';
import { readText } from '../storage/readText.ts';
import { RUNS_CONTAINER, type Storage } from '../storage/storage.ts';
import { isNotFound, storageCode } from '../storage/storageErrors.ts';
import { parseRunRecord, RunDamaged, type RunKinds } from './parseRunRecord.ts';
import { isFinal, RUN_STATES, type RunBase, type RunState } from './runRecord.ts';

/** Reads and writes run records. Every write is conditional on what was read: no update is ever lost. */
export interface RunStore<Run extends RunBase> {
  /** @throws RunDamaged */
  read(runId: string): Promise<Run | undefined>;
  /** False when a record of that id exists already. */
  create(record: Run): Promise<boolean>;
  /**
   * Applies `change` to the current record until no other writer comes between. A change that returns undefined leaves
   * the record as it is. A final record is never changed.
   *
   * @returns the record as it now stands
   * @throws RunNotFound, RunDamaged (it is not overwritten)
   */
  update(runId: string, change: (record: Run) => Run | undefined): Promise<Run>;
  /** All runs that match, newest first; and beside them those met on the way whose record cannot be read. */
  survey(options?: RunFilter<Run>): Promise<{ readonly records: Run[]; readonly damaged: DamagedRun[] }>;
  ids(): AsyncIterable<RunSummary>;
}

export interface RunFilter<Run extends RunBase> {
  readonly limit?: number;
  /** Spares the reading of all records in other states. */
  readonly state?: RunState;
  readonly where?: (record: Run) => boolean;
}

/** What a listing tells of a run without opening its record. */
export interface RunSummary {
  readonly runId: string;
  readonly final: boolean;
  readonly finishedAt?: string;
  readonly hasPreImage: boolean;
}

/** A run whose record cannot be read: what is wrong, and what to do. */
export interface DamagedRun {
  readonly runId: string;
  readonly damaged: { readonly code: string; readonly message: string; readonly action: string };
}

class RunNotFound extends Error {
  override readonly name = 'RunNotFound';
  readonly runId: string;
  constructor(runId: string) {
    super(`There is no run ${runId}.`);
    this.runId = runId;
  }
}

const READS_AT_ONCE = 8;

/**
 * @param now injected clock
 * @param kinds of the runs that are kept here
 * @param ended told of each run once, by whoever wrote its final record; never, where that one dies in between
 */
export function createRunStore<Run extends RunBase>(
  storage: Storage,
  now: () => Date,
  kinds: RunKinds<Run>,
  ended: (record: Run) => Promise<void> = async () => undefined,
): RunStore<Run> {
  const container = storage.container(RUNS_CONTAINER);
  const blobOf = (runId: string) => container.getBlockBlobClient(`${runId}.json`);

  const write = async (
    record: Run,
    condition: { readonly ifAbsent: true } | { readonly ifMatch: string },
  ): Promise<boolean> => {
    // What a listing needs to know without opening each record.
    const metadata = {
      state: record.state,
      created: record.createdAt,
      ...defined({ finished: record.finishedAt }),
      ...(kinds[record.kind].canUndo(record) ? { preimage: 'true' } : {}),
    };
    try {
      return (await writeJson(blobOf(record.runId), record, { ...condition, metadata })) !== undefined;
    } catch (error) {
      if (storageCode(error) !== 'ContainerNotFound') throw error;
      await container.createIfNotExists();
      return (await writeJson(blobOf(record.runId), record, { ...condition, metadata })) !== undefined;
    }
  };

  const summaries = () => summariesIn(container);

  const open = async (runId: string): Promise<{ readonly value: Run; readonly etag: string } | undefined> => {
    try {
      const { text, etag } = await readText(blobOf(runId));
      return { value: parseRunRecord(text, runId, kinds), etag };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  const read = async (runId: string) => (await open(runId))?.value;

  const survey = async ({ limit = Number.POSITIVE_INFINITY, state, where = () => true }: RunFilter<Run> = {}) => {
    const found: { runId: string; created: string }[] = [];
    for await (const summary of summaries()) if (state === undefined || summary.state === state) found.push(summary);
    found.sort((a, b) => (a.created < b.created ? 1 : a.created > b.created ? -1 : 0));
    const records: Run[] = [];
    const damaged: DamagedRun[] = [];
    for (let start = 0; start < found.length && records.length + damaged.length < limit; start += READS_AT_ONCE) {
      const batch = await Promise.all(
        found.slice(start, start + READS_AT_ONCE).map(({ runId }) => read(runId).catch(damagedRun)),
      );
      for (const run of batch) {
        if (run === undefined || records.length + damaged.length >= limit) continue;
        if ('damaged' in run) damaged.push(run);
        else if (where(run)) records.push(run);
      }
    }
    return { records, damaged };
  };

  return {
    read,
    async create(record) {
      const created = await write(record, { ifAbsent: true });
      if (created && isFinal(record.state)) await ended(record);
      return created;
    },
    async update(runId, change) {
      for (;;) {
        const current = await open(runId);
        if (current === undefined) throw new RunNotFound(runId);
        if (isFinal(current.value.state)) return current.value;
        const changed = change(current.value);
        if (changed === undefined) return current.value;
        const next = { ...changed, updatedAt: now().toISOString() };
        if (!(await write(next, { ifMatch: current.etag }))) continue;
        if (isFinal(next.state)) await ended(next);
        return next;
      }
    },
    survey,
    ids: summaries,
  };
}

async function* summariesIn(container: ContainerClient) {
  try {
    for await (const item of container.listBlobsFlat({ includeMetadata: true })) {
      const match = /^([0-9a-f]{20})\.json$/.exec(item.name);
      if (match?.[1] === undefined) continue;
      const state = stateIn(item.metadata?.['state']);
      const finishedAt = item.metadata?.['finished'];
      yield {
        runId: match[1],
        created: item.metadata?.['created'] ?? item.properties.createdOn?.toISOString() ?? '',
        state,
        final: state !== undefined && isFinal(state),
        hasPreImage: item.metadata?.['preimage'] === 'true',
        ...defined({ finishedAt }),
      };
    }
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Anybody may have changed the metadata of a blob. */
function stateIn(text: string | undefined): RunState | undefined {
  return RUN_STATES.find((state) => state === text);
}

/** What a listing tells of a run whose record cannot be read; raises what is anything else. */
export function damagedRun(error: unknown): DamagedRun {
  if (!(error instanceof RunDamaged)) throw error;
  const { runId, code, message, action = '' } = error;
  return { runId, damaged: { code, message, action } };
}
