/** `mirror …`: the mirror as a whole. */

import { hasDrift } from '../../src/lib/mirror/reconcile/countDrift.ts';
import type { ReconcileResult } from '../../src/lib/mirror/reconcile/reconcileNotes.ts';
import type { MirrorStatus } from '../../src/lib/mirror/status/mirrorStatus.ts';
import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { askApp, readApp } from '../app/apiCall.ts';
import { type Connection, connectOrStart } from '../app/connection.ts';
import { withInterrupt } from '../app/interrupt.ts';
import { EXIT, type ExitCode, exitCodeOf } from '../exitCode.ts';
import { type ReplayedLetters, renderMirror, renderReplayed } from '../render/mirrorText.ts';
import type { Output } from '../render/output.ts';
import { reconcileJson, renderReconcileResult } from '../render/reconcileText.ts';
import { shortId } from '../render/runWords.ts';
import { renderWorkOutcome } from '../render/workText.ts';
import { watchWork } from './backup.ts';
import { interrupted } from './provision.ts';

export interface ReconcileFlags {
  readonly hub?: string;
  readonly dryRun?: boolean;
  readonly data?: string;
}

/** `mirror reconcile`: has the app compare the mirror with a hub and repair it, and watches that to its end. */
export function mirrorReconcile({ data, ...asked }: ReconcileFlags, output: Output): Promise<ExitCode> {
  return withInterrupt(async (signal) => {
    const connection = await connectOrStart({ data }, output, signal);
    try {
      const started = await askApp<WorkRun>(connection, 'mirror/reconcile', asked, 'a reconcile of the mirror');
      const sort = started.request['dryRun'] === true ? 'Dry run of a reconcile' : 'Reconcile';
      output.note(`${sort} of the mirror of the hub ${started.hub}: run ${started.runId}`);
      const record = await watchWork(connection, started.runId, output, signal);
      if (record === undefined) return interrupted(connection, started.runId, output);
      output.print();
      const look = { now: new Date(), paint: output.style, columns: output.columns, command: connection.command };
      for (const line of [...renderWorkOutcome(record, look), ...renderReconcileResult(record, look)]) {
        output.print(line);
      }
      const result = record.result as unknown as ReconcileResult | undefined;
      const found = result !== undefined && hasDrift(result);
      if (found) {
        output.tell(`\nSee each of them: ${connection.command('run', shortId(record.runId), '--report', 'DIR')}`);
      }
      output.printJson(reconcileJson(record));
      return found && result.dryRun ? EXIT.someFailed : exitCodeOf(record);
    } finally {
      await connection.close();
    }
  });
}

export interface MirrorFlags {
  readonly data?: string;
}

/**
 * `mirror status`: how the mirror stands. What is wrong is told, and is no failure of the command: scripts look at `notes`,
 * monitors at `GET /api/health`.
 */
export function mirrorStatus({ data }: MirrorFlags, output: Output): Promise<ExitCode> {
  return withInterrupt(async (signal) => {
    const connection = await connectOrStart({ data }, output, signal);
    try {
      const question = { path: 'mirror', doing: 'the status of the mirror', signal };
      const status = await readApp<MirrorStatus>(connection, question);
      if (status === undefined) return EXIT.failed;
      output.printJson(status);
      for (const line of renderMirror(status, { now: new Date(), paint: output.style, columns: output.columns })) {
        output.print(line);
      }
      return EXIT.ok;
    } finally {
      await connection.close();
    }
  });
}

/** Call by call: one ends when its time is up. */
async function replayAll(connection: Connection, signal: AbortSignal): Promise<ReplayedLetters> {
  let [applied, dead] = [0, 0];
  for (let asked: { readonly after?: string } = {}; ; ) {
    signal.throwIfAborted();
    const reply = await askApp<ReplayedLetters & { readonly next?: string }>(
      connection,
      'mirror/replay',
      asked,
      'a replay of dead letters',
    );
    applied += reply.applied;
    dead += reply.dead;
    if (reply.next === undefined) return { applied, dead, left: reply.left };
    asked = { after: reply.next };
  }
}

/** `mirror replay`: dead letters are events that could not be used; after an update of the app, say, they may be. */
export function mirrorReplay({ data }: MirrorFlags, output: Output): Promise<ExitCode> {
  return withInterrupt(async (signal) => {
    const connection = await connectOrStart({ data }, output, signal);
    try {
      const replayed = await replayAll(connection, signal);
      output.printJson(replayed);
      for (const line of renderReplayed(replayed, output.columns)) output.print(line);
      return replayed.dead > 0 || replayed.left ? EXIT.someFailed : EXIT.ok;
    } finally {
      await connection.close();
    }
  });
}
