import { readJson, writeJson } from '../storage/jsonBlob.ts';
import { RUNS_CONTAINER, type Storage } from '../storage/storage.ts';
import { isNotFound, storageCode } from '../storage/storageErrors.ts';
import { isFinal, type RunRecord, type RunState } from './runRecord.ts';

/** Reads and writes run records. Every write is conditional on what was read: no update is ever lost. */
export interface RunStore {
  read(runId: string): Promise<RunRecord | undefined>;
  /** False when a record of that id exists already. */
  create(record: RunRecord): Promise<boolean>;
  /**
   * Applies `change` to the current record until no other writer comes between. A change that returns undefined leaves
   * the record as it is. A final record is never changed.
   *
   * @returns the record as it now stands
   * @throws RunNotFound
   */
  update(runId: string, change: (record: RunRecord) => RunRecord | undefined): Promise<RunRecord>;
  /** All runs that match, newest first. */
  list(options?: RunFilter): Promise<RunRecord[]>;
  ids(): AsyncIterable<RunSummary>;
}

export interface RunFilter {
  readonly limit?: number;
  /** Spares the reading of all records in other states. */
  readonly state?: RunState;
  readonly where?: (record: RunRecord) => boolean;
}

/** What a listing tells of a run without opening its record. */
export interface RunSummary {
  readonly runId: string;
  readonly final: boolean;
  readonly finishedAt?: string;
  readonly hasPreImage: boolean;
}

export class RunNotFound extends Error {
  override readonly name = 'RunNotFound';
  readonly runId: string;
  constructor(runId: string) {
    super(`There is no run ${runId}.`);
    this.runId = runId;
  }
}

const READS_AT_ONCE = 8;

/** @param now injected clock */
export function createRunStore(storage: Storage, now: () => Date): RunStore {
  const container = storage.container(RUNS_CONTAINER);
  const blobOf = (runId: string) => container.getBlockBlobClient(`${runId}.json`);

  const write = async (
    record: RunRecord,
    condition: { readonly ifAbsent: true } | { readonly ifMatch: string },
  ): Promise<boolean> => {
    // What a listing needs to know without opening each record.
    const metadata = {
      state: record.state,
      created: record.createdAt,
      ...(record.finishedAt === undefined ? {} : { finished: record.finishedAt }),
      ...(record.preImage === undefined ? {} : { preimage: 'true' }),
    };
    try {
      return (await writeJson(blobOf(record.runId), record, { ...condition, metadata })) !== undefined;
    } catch (error) {
      if (storageCode(error) !== 'ContainerNotFound') throw error;
      await container.createIfNotExists();
      return (await writeJson(blobOf(record.runId), record, { ...condition, metadata })) !== undefined;
    }
  };

  const summaries = async function* () {
    try {
      for await (const item of container.listBlobsFlat({ includeMetadata: true })) {
        const match = /^([0-9a-f]{20})\.json$/.exec(item.name);
        if (match?.[1] === undefined) continue;
        const state = item.metadata?.['state'] as RunRecord['state'] | undefined;
        const finishedAt = item.metadata?.['finished'];
        yield {
          runId: match[1],
          created: item.metadata?.['created'] ?? '',
          state,
          final: state !== undefined && isFinal(state),
          hasPreImage: item.metadata?.['preimage'] === 'true',
          ...(finishedAt === undefined ? {} : { finishedAt }),
        };
      }
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };

  const read = async (runId: string) => (await readJson<RunRecord>(blobOf(runId)))?.value;

  return {
    read,
    create: (record) => write(record, { ifAbsent: true }),
    async update(runId, change) {
      for (;;) {
        const current = await readJson<RunRecord>(blobOf(runId));
        if (current === undefined) throw new RunNotFound(runId);
        if (isFinal(current.value.state)) return current.value;
        const changed = change(current.value);
        if (changed === undefined) return current.value;
        const next = { ...changed, updatedAt: now().toISOString() };
        if (await write(next, { ifMatch: current.etag })) return next;
      }
    },
    async list({ limit = Number.POSITIVE_INFINITY, state, where = () => true } = {}) {
      const found: { runId: string; created: string }[] = [];
      for await (const summary of summaries()) if (state === undefined || summary.state === state) found.push(summary);
      found.sort((a, b) => (a.created < b.created ? 1 : a.created > b.created ? -1 : 0));
      const records: RunRecord[] = [];
      for (let start = 0; start < found.length && records.length < limit; start += READS_AT_ONCE) {
        const batch = await Promise.all(found.slice(start, start + READS_AT_ONCE).map(({ runId }) => read(runId)));
        records.push(...batch.filter((record) => record !== undefined).filter(where));
      }
      return records.slice(0, limit);
    },
    ids: summaries,
  };
}
