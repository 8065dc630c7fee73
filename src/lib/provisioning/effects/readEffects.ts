/** What a provisioning run did to its hub, line by line, out of what its container still holds. */

import { speakerOf } from '../../codeText.ts';
import { defined } from '../../defined.ts';
import { MODE_RULES } from '../../devicesFile/importMode.ts';
import { HubKeeperError } from '../../errors.ts';
import type { ConfigurationInput } from '../../registry/index.ts';
import { isModuleLine } from '../../registryLines/snapshot.ts';
import type { Verdict } from '../../runs/outcomes.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import {
  type Applied,
  type ConfigurationEffect,
  EFFECT_TEXTS,
  type EffectLine,
  type EffectsPreImage,
  type ReadEffects,
  type ReadEffectsOptions,
} from '../../runs/runEffects.ts';
import { isFinal, type RunBase } from '../../runs/runRecord.ts';
import { lostOf, StagingLost } from '../../runs/stagingLost.ts';
import { rowsOf } from '../../storage/ndjson.ts';
import { lineOf, type SentRun, sentLines } from '../again/aftermath.ts';
import { CHECK_BLOB, checkBlobs, checkOf } from '../check/checkResult.ts';
import { readParentsAlong } from '../check/parentRows.ts';
import {
  CONFIGURATIONS_INPUT_BLOB,
  readInput,
  readSettled,
  stagedConfigurations,
} from '../configurations/configurationsStaging.ts';
import type { LineOf } from '../evidence/evidence.ts';
import { type Findings, readFindings, verdictOn, wasApplied } from '../outcome/verdicts.ts';
import { preImageWay } from '../preImage/preImage.ts';
import { readManifest } from '../preImage/preImageBlobs.ts';
import { isSent, type ProvisioningContext, type ProvisionRun } from '../run/provisionRun.ts';

const say = speakerOf(EFFECT_TEXTS);

export function readEffectsBy(context: ProvisioningContext): ReadEffects {
  return async (runId, options = {}) => {
    const record = await openEnded(context, runId);
    try {
      return await effectsOf(context, record, options);
    } catch (error) {
      const blob = lostOf(error);
      if (blob === undefined) throw error;
      throw new HubKeeperError(say('undoGone', { run: record.runId, blob, days: context.settings.undoDays }));
    }
  };
}

/** A run that has ended and may have changed something. */
async function openEnded(context: ProvisioningContext, runId: string): Promise<ProvisionRun> {
  const run = runId;
  const record = await context.runs.read(run);
  if (record === undefined) throw new HubKeeperError(say('undoUnknownRun', { run }));
  const { kind, appliedBy } = record as RunBase & { readonly appliedBy?: string };
  if (kind !== 'provision') {
    // Other work has its lines applied by a run of its own: that of a restore or an undo is what is undone.
    if (appliedBy !== undefined) return openEnded(context, appliedBy);
    throw new HubKeeperError(say('undoNothing:kind', { run, kind }));
  }
  const { state, options, hub: alias } = record;
  if (!isFinal(state)) throw new HubKeeperError(say('undoNotFinal', { run, state }));
  if (options?.dryRun === true) throw new HubKeeperError(say('undoNothing:dryRun', { run }));
  if (!isSent(record) || alias === undefined) throw new HubKeeperError(say('undoNothing', { run, state }));
  if (!context.settings.hubs.has(alias)) throw new HubKeeperError(say('undoOtherHub:unknown', { run, alias }));
  return record;
}

async function effectsOf(
  context: ProvisioningContext,
  record: ProvisionRun,
  options: ReadEffectsOptions,
): ReturnType<ReadEffects> {
  const { runId, hub = '', finishedAt = record.updatedAt } = record;
  const check = await checkOf(context, runId);
  if (check === undefined) throw new StagingLost(runId, CHECK_BLOB);
  const mayHaveMet = preImageWay(check, { backupFirst: 'auto', dryRun: false }) !== 'none';
  const preImage = await preImageOf(context, record, mayHaveMet && options.preImage !== false);
  const run: SentRun = { context, record, check };
  // Without a job nobody has read its log: nothing is known of any line.
  const findings = record.jobs.import === undefined ? undefined : await readFindings(context, record);
  const configurations = await configurationsOf(run);
  await demandLines(run);
  return {
    runId,
    hub,
    finishedAt,
    ...defined({ preImage }),
    lineCount: check.accepted,
    deletes: check.deletes,
    lines: () => effectLines(run, findings),
    configurations,
  };
}

/** @param isNeeded whether the run may have met something that was there, and somebody wants to know what that was */
async function preImageOf(
  context: ProvisioningContext,
  record: ProvisionRun,
  isNeeded: boolean,
): Promise<EffectsPreImage | undefined> {
  const { runId, hub: alias = '', preImage, options } = record;
  const run = runId;
  if (!isNeeded) return undefined;
  if (options?.backupFirst === 'never') throw new HubKeeperError(say('undoNoPreImage', { run }));
  // A run that noticed its loss has taken it out of its record.
  if (preImage === undefined) throw new StagingLost(runId, 'the pre-image');
  const manifest = await readManifest(context, record, preImage.epoch);
  const { container, blobName } = preImage;
  const isThere = await context.storage.container(container).getBlockBlobClient(blobName).exists();
  if (manifest === undefined || !isThere) throw new StagingLost(runId, blobName);
  const { hub: was, way, etag, managers, hasRelatives = way === 'export' } = manifest;
  const name = context.hub(alias).hubName;
  if (was !== undefined && was !== name) throw new HubKeeperError(say('undoOtherHub', { run, alias, was, name }));
  return { container, blobName, way, hasRelatives, ...defined({ etag, managers }) };
}

/** Their first is read: a blob that is gone is known before anybody relies on the rest. */
async function demandLines(run: SentRun): Promise<void> {
  const lines = sentLines(run);
  await lines.next();
  await lines.return(undefined);
}

async function* effectLines(run: SentRun, findings: Findings | undefined): AsyncGenerator<EffectLine> {
  const { context, record, check } = run;
  const parents = await readParentsAlong(checkBlobs(stagingOf(context, record.runId), check.attempt).parents);
  for await (const sent of sentLines(run)) {
    const line = lineOf(sent);
    const parent = isModuleLine(sent.line) ? undefined : await parents.of(line.id);
    const text = MODE_RULES[sent.mode].merges ? sent.asked : sent.text;
    yield { ...line, text, ...defined({ parent }), ...whatBecame(line, findings) };
  }
}

function whatBecame(line: LineOf, findings: Findings | undefined): Pick<EffectLine, 'outcome' | 'applied'> {
  if (findings === undefined) return { outcome: 'unconfirmed', applied: 'maybe' };
  const { outcome } = verdictOn(line, findings);
  return { outcome, applied: appliedOf(line, outcome, findings) };
}

function appliedOf(line: LineOf, outcome: Verdict['outcome'], findings: Findings): Applied {
  if (wasApplied(line, findings)) return 'yes';
  if (outcome === 'unconfirmed') return 'maybe';
  // It was verified and found otherwise than the line asks: somebody else, or the hub, may have left a part of it.
  const wasRead = findings.found.find(line.id, line.moduleId) !== undefined;
  return wasRead && outcome === 'failed' ? 'maybe' : 'no';
}

async function configurationsOf({ context, record, check }: SentRun): Promise<readonly ConfigurationEffect[]> {
  const { runId } = record;
  if (check.configurations === undefined) return [];
  const input = await readInput(context, runId);
  if (input === undefined) throw new StagingLost(runId, CONFIGURATIONS_INPUT_BLOB);
  const before = new Map((await staged(context, runId, input.before)).map((each) => [each.id, each]));
  const sent = await staged(context, runId, input.blobName);
  const lines = await stagedConfigurations(context, runId, check.configurations);
  const lineOfId = new Map(lines.flatMap((line) => (line.kind === 'accepted' ? [[line.id, line.line]] : [])));
  const verdicts = new Map((await readSettled(context, runId))?.verdicts.map(({ line, verdict }) => [line, verdict]));
  return sent.map((configuration) => {
    const { id } = configuration;
    const outcome = verdicts.get(lineOfId.get(id) ?? 0)?.outcome;
    const isApplied = outcome === 'succeeded' || outcome === 'succeededWithWarning';
    // One that failed may have been applied in part, and one that is not settled in all.
    return { id, sent: configuration, applied: isApplied ? 'yes' : 'maybe', ...defined({ before: before.get(id) }) };
  });
}

/** As `configurationBody` has written it. */
interface StagedLine extends Omit<ConfigurationInput, 'metricQueries'> {
  readonly metrics?: { readonly queries?: ConfigurationInput['metricQueries'] };
  readonly importMode?: string;
}

async function staged(
  context: ProvisioningContext,
  runId: string,
  blobName: string | undefined,
): Promise<readonly ConfigurationInput[]> {
  if (blobName === undefined) return [];
  const rows = rowsOf<StagedLine>(stagingOf(context, runId).getBlockBlobClient(blobName));
  return (await Array.fromAsync(rows)).map(({ importMode: _mode, metrics, ...configuration }) => ({
    ...configuration,
    ...defined({ metricQueries: metrics?.queries }),
  }));
}
