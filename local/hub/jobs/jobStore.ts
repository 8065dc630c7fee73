import type { DatabaseSync, SQLInputValue } from 'node:sqlite';

export const JOB_TYPES = ['export', 'import'] as const;
export type JobType = (typeof JOB_TYPES)[number];
export type JobStatus = 'enqueued' | 'running' | 'completed' | 'failed' | 'cancelled';

export interface JobRow {
  readonly jobId: string;
  readonly type: JobType;
  readonly status: JobStatus;
  /** 1 for a job that stands for somebody else's: it only takes time. */
  readonly foreignJob: 0 | 1;
  /** JSON of the JobRequest; emptied of URIs when the job has ended, unless records echo them. */
  readonly request: string;
  readonly createdMs: number;
  readonly startedMs: number | null;
  readonly endedMs: number | null;
  readonly failureReason: string | null;
  readonly progress: number;
  /** ETag of the input blob when the job began: a replaced blob is not read on after a restart. */
  readonly inputEtag: string | null;
  /** Bytes of the input whose lines are committed. */
  readonly position: number;
  /** Lines (import) worked so far. */
  readonly lines: number;
  readonly configurationsDone: 0 | 1;
}

export type ErrorKind = 'device' | 'configuration';

export interface JobStore {
  insert(row: JobRow): void;
  change(jobId: string, change: Partial<Omit<JobRow, 'jobId'>>): void;
  find(jobId: string): JobRow | undefined;
  /** Newest first. */
  list(): JobRow[];
  active(): JobRow[];
  removeOlderThan(createdMs: number): void;
  addError(jobId: string, kind: ErrorKind, line: string): void;
  /** Error lines after row `after`, at most 1000, with the row to go on from. */
  errors(jobId: string, kind: ErrorKind, after: number): { readonly last: number; readonly lines: readonly string[] };
  clearErrors(jobId: string): void;
  clear(): void;
}

const COLUMNS = [
  'jobId',
  'type',
  'status',
  'foreignJob',
  'request',
  'createdMs',
  'startedMs',
  'endedMs',
  'failureReason',
  'progress',
  'inputEtag',
  'position',
  'lines',
  'configurationsDone',
] as const satisfies readonly (keyof JobRow)[];

export function createJobStore(database: DatabaseSync): JobStore {
  const insertion = database.prepare(
    `INSERT INTO jobs (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map(() => '?').join(', ')})`,
  );
  const byId = database.prepare('SELECT * FROM jobs WHERE jobId = ?');
  const all = database.prepare('SELECT * FROM jobs ORDER BY createdMs DESC, rowid DESC');
  const unfinished = database.prepare("SELECT * FROM jobs WHERE status IN ('enqueued', 'running')");
  const errorInsertion = database.prepare('INSERT INTO jobErrors (jobId, kind, line) VALUES (?, ?, ?)');
  const errorPage = database.prepare(
    'SELECT n, line FROM jobErrors WHERE jobId = ? AND kind = ? AND n > ? ORDER BY n LIMIT 1000',
  );
  const errorRemoval = database.prepare('DELETE FROM jobErrors WHERE jobId = ?');
  const removal = database.prepare("DELETE FROM jobs WHERE createdMs < ? AND status NOT IN ('enqueued', 'running')");
  return {
    insert: (row) => {
      insertion.run(...COLUMNS.map((name): SQLInputValue => row[name]));
    },
    change: (jobId, change) => {
      const names = COLUMNS.filter((name) => name in change);
      const sets = names.map((name) => `${name} = ?`).join(', ');
      const values = names.map((name): SQLInputValue => (change as Partial<JobRow>)[name] ?? null);
      database.prepare(`UPDATE jobs SET ${sets} WHERE jobId = ?`).run(...values, jobId);
    },
    find: (jobId) => byId.get(jobId) as JobRow | undefined,
    list: () => all.all() as unknown as JobRow[],
    active: () => unfinished.all() as unknown as JobRow[],
    removeOlderThan: (createdMs) => {
      removal.run(createdMs);
    },
    addError: (jobId, kind, line) => {
      errorInsertion.run(jobId, kind, line);
    },
    errors: (jobId, kind, after) => {
      const rows = errorPage.all(jobId, kind, after) as unknown as { n: number; line: string }[];
      return { last: rows.at(-1)?.n ?? after, lines: rows.map(({ line }) => line) };
    },
    clearErrors: (jobId) => {
      errorRemoval.run(jobId);
    },
    clear: () => database.exec('DELETE FROM jobErrors; DELETE FROM jobs'),
  };
}
