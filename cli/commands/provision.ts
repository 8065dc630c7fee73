import { runIdFor } from '../../src/lib/provisioning/runId.ts';
import type { RunRecord } from '../../src/lib/provisioning/runRecord.ts';
import { checkConfigurations } from '../configurations.ts';
import { type Connection, connectOrStart } from '../connection.ts';
import {
  BLOCK_BYTES,
  type DevicesFile,
  dropFile,
  inspectFile,
  newBatchName,
  type OptionFlags,
  optionMetadata,
} from '../drop.ts';
import { EXIT, type ExitCode, exitCodeOf } from '../exitCode.ts';
import { formatBytes } from '../format.ts';
import { withInterrupt } from '../interrupt.ts';
import { optionFlags } from '../optionFlags.ts';
import type { Output } from '../output.ts';
import { progressOf, uploadProgress } from '../progress.ts';
import { showRecord } from '../showRecord.ts';
import { createStatusDisplay } from '../statusDisplay.ts';
import { renderStillness, stillnessOf } from '../stillness.ts';
import { version } from '../version.ts';
import { watchRun } from '../watchRun.ts';

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
  const file = await inspectFile(path);
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
  const { runId, place } = await upload(connection, file, flags, output, signal);
  output.note(`Dropped ${file.path} (${formatBytes(file.bytes)}) as ${place}: run ${runId}`);
  if (!flags.wait && connection.ownStack !== undefined) {
    output.note('The run is waited for all the same: the local stack that works on it ends with this command.');
  } else if (!flags.wait) {
    output.print(`Look at it with: hubkeeper run ${runId}`);
    output.printJson({ runId, drop: place });
    return EXIT.ok;
  }
  const record = await watchWithStatus(connection, runId, output, signal);
  if (record === undefined) return interrupted(connection, runId, output);
  output.print();
  await showRecord(connection, record, { detailed: false, report: flags.report }, output);
  return exitCodeOf(record);
}

async function upload(
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
  const tellStandstill = (record: RunRecord | undefined): void => {
    const stillness = stillnessOf(record, new Date(), since);
    if (stillness?.hint === undefined || stillness.since === told) return;
    told = stillness.since;
    for (const line of renderStillness(stillness, output.stderr.columns).slice(1)) status.say(line);
  };
  try {
    const watching = watchRun({
      runs: connection.runs,
      runId,
      signal,
      onLook: (record) => {
        status.show(progressOf(record, new Date(), since));
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
      ? `The run goes on. Look at it with: hubkeeper run ${runId} --watch`
      : `The run stops with the local stack and goes on when one is started again (npm start). Run: ${runId}`,
  );
  return EXIT.interrupted;
}
