import type { RunRecord } from '../../src/lib/runKinds.ts';
import { runIdFor } from '../../src/lib/runs/runId.ts';
import { checkConfigurations } from '../app/configurations.ts';
import { type Connection, connectOrStart } from '../app/connection.ts';
import { BLOCK_BYTES, type DevicesFile, dropFile, inspectFile, newBatchName, optionMetadata } from '../app/drop.ts';
import { followerOf } from '../app/follower.ts';
import { demandHub } from '../app/hubs.ts';
import { withInterrupt } from '../app/interrupt.ts';
import { optionFlags } from '../app/optionFlags.ts';
import { prepareReportFolder } from '../app/report.ts';
import { showRecord } from '../app/showRecord.ts';
import { watchRun } from '../app/watchRun.ts';
import { usageError } from '../cliError.ts';
import { EXIT, type ExitCode, exitCodeOf } from '../exitCode.ts';
import { commandTextFor, type OptionFlags, pathFromReader } from '../render/commandText.ts';
import { formatBytes } from '../render/format.ts';
import type { Output } from '../render/output.ts';
import { progressOf, uploadProgress } from '../render/progress.ts';
import { shortId } from '../render/runWords.ts';
import { createStatusDisplay } from '../render/statusDisplay.ts';
import { renderStillness, stillnessOf } from '../render/stillness.ts';
import { version } from '../version.ts';

export interface ProvisionFlags extends OptionFlags {
  readonly hub?: string;
  readonly batch?: string;
  /** False with `--no-wait`. */
  readonly wait: boolean;
  /** Folder to download the report to. */
  readonly report?: string;
  readonly data?: string;
  /** Path of the configurations that go into the same job. */
  readonly configurations?: string;
}

/** `provision FILE`: drops it, and watches its run to the report. */
export async function provision(path: string, flags: ProvisionFlags, output: Output): Promise<ExitCode> {
  if (!flags.wait && flags.report !== undefined) {
    throw usageError(
      'With --no-wait there is no report yet that --report could download.',
      `Leave one of them out, or get it later: ${commandTextFor(flags.data)('run', 'ID', '--report', 'DIR')}`,
    );
  }
  const file = await inspectFile(path);
  if (flags.report !== undefined) await prepareReportFolder(flags.report);
  // What a run would be refused for is better known before anything is sent.
  if (flags.configurations !== undefined) await checkConfigurations(flags.configurations);
  return withInterrupt(async (signal) => {
    const connection = await connectOrStart({ data: flags.data }, output, signal);
    try {
      return await dropAndWatch(connection, file, flags, output, signal);
    } finally {
      await connection.close();
    }
  });
}

/** The drop itself, for an app that is reached already. */
export async function dropAndWatch(
  connection: Connection,
  file: DevicesFile,
  flags: ProvisionFlags,
  output: Output,
  signal: AbortSignal,
): Promise<ExitCode> {
  demandHub(connection, flags.hub, (alias) => ['provision', pathFromReader(file.path), '--hub', alias]);
  const { runId, place } = await upload(connection, file, flags, output, signal);
  output.note(`Dropped ${file.path} (${formatBytes(file.bytes)}) as ${place}: run ${runId}`);
  if (!flags.wait && connection.ownStack !== undefined) {
    output.note('The run is waited for all the same: the local stack that works on it ends with this command.');
  } else if (!flags.wait) {
    output.tell(`Look at it with:\n  ${connection.command('run', shortId(runId))}`);
    output.printJson({ runId, drop: place });
    return EXIT.ok;
  }
  const record = await watchWithStatus(connection, runId, output, signal);
  if (record === undefined) return interrupted(connection, runId, output);
  output.print();
  const { hub, configurations, report } = flags;
  const dropped = { path: file.path, hub, configurations, report, options: optionFlags(flags) };
  await showRecord(connection, record, { detailed: false, report, dropped }, output);
  return exitCodeOf(record);
}

/** Drops the file, and tells which run it will be. */
export async function upload(
  connection: Connection,
  file: DevicesFile,
  flags: ProvisionFlags,
  output: Output,
  signal: AbortSignal,
): Promise<{ runId: string; place: string }> {
  const status = createStatusDisplay(output.stderr);
  const startedAt = Date.now();
  try {
    const drop = await dropFile(connection, {
      file,
      configurations: flags.configurations,
      hub: flags.hub,
      batch: flags.batch ?? newBatchName(new Date()),
      metadata: optionMetadata(optionFlags(flags), version(), flags.hub),
      signal,
      onProgress: (sent) => {
        // What fits one request is up before anybody could read about it.
        if (file.bytes > BLOCK_BYTES) status.show(uploadProgress(sent, file.bytes, Date.now() - startedAt));
      },
    });
    return { runId: runIdFor(drop), place: `${drop.container}/${drop.blobName}` };
  } finally {
    status.end();
  }
}

/** The final record, or undefined after Ctrl-C. A local stack that breaks down meanwhile ends the watching with its error. */
export async function watchWithStatus(
  connection: Connection,
  runId: string,
  output: Output,
  signal: AbortSignal,
): Promise<RunRecord | undefined> {
  const status = createStatusDisplay(output.stderr);
  const since = new Date();
  // Of a standstill one is told once.
  let told: string | undefined;
  let follower: RunRecord | undefined;
  const tellStandstill = (record: RunRecord | undefined): void => {
    const stillness = stillnessOf(follower ?? record, new Date(), since);
    if (stillness?.hint === undefined || stillness.since === told) return;
    told = stillness.since;
    for (const line of renderStillness(stillness, output.stderr.columns).slice(1)) status.say(line);
  };
  try {
    const watching = watchRun({
      runs: {
        read: async (id) => {
          const record = await connection.runs.read(id);
          follower = await followerOf(connection.runs, record);
          return record;
        },
      },
      runId,
      signal,
      onLook: (record) => {
        const { command } = connection;
        status.show(progressOf(record, { now: new Date(), since, command, follower }));
        tellStandstill(record);
      },
    });
    const broken = connection.ownStack?.broken.then((error) => Promise.reject(error));
    return await (broken === undefined ? watching : Promise.race([watching, broken]));
  } finally {
    status.end();
  }
}

export function interrupted(connection: Connection, runId: string, output: Output): ExitCode {
  output.note(
    connection.ownStack === undefined
      ? `The run goes on. Look at it, or stop it, with:\n  ${connection.command('run', shortId(runId), '--watch')}\n  ${connection.command('cancel', shortId(runId))}`
      : `Run ${runId} stops with the local stack, and goes on when one is started again:\n  ${connection.command('local')}`,
  );
  return EXIT.interrupted;
}
