import type { CheckedLine } from '../../configurationsFile/checkConfigurationsFile.ts';
import { SKIP_REASONS } from '../../devicesFile/reasons.ts';
import type { Ending, Verdict } from '../../runs/outcomes.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { needsPerson, noOutcomes, OUTCOMES } from '../../runs/runRecord.ts';
import { RESULTS_CONTAINER } from '../../storage/containers.ts';
import type { CheckResult, ConfigurationsCheck } from '../check/checkResult.ts';
import { readInput, readSettled, stagedConfigurations } from '../configurations/configurationsStaging.ts';
import type { ProvisioningContext, ProvisionRun, RunConfigurations } from '../run/provisionRun.ts';
import { tableText } from './reportTable.ts';

export interface ConfigurationsReport {
  readonly counts: RunConfigurations;
  /** What `report.json` says of them. */
  readonly section: object;
  /** Blob name of `configurations.csv`. */
  readonly file: string;
}

const CSV_HEADER = ['line', 'configurationId', 'outcome', 'code', 'path', 'reason', 'action'];

/**
 * Writes `configurations.csv` with every line of the run's `configurations.txt`. Never any of their content, which can
 * hold passwords.
 *
 * @param unsettled the verdict on configurations of a run that ended before they could be settled
 * @returns undefined when the drop has no configurations
 * @throws Error when the outcomes do not add up to the lines
 */
export async function reportConfigurations(
  context: ProvisioningContext,
  run: { readonly record: ProvisionRun; readonly check: CheckResult; readonly folder: string },
  unsettled: Verdict | undefined,
): Promise<ConfigurationsReport | undefined> {
  const { record, check, folder } = run;
  const { configurations } = check;
  if (configurations === undefined) return undefined;
  const lines = await stagedConfigurations(context, record.runId, configurations);
  const settled = await readSettled(context, record.runId);
  const verdicts = new Map(settled?.verdicts.map(({ line, verdict }) => [line, verdict]));
  const rows = lines.map((line) => {
    const verdict = verdictOn(line, verdicts.get(line.line) ?? unsettled);
    if (verdict === undefined)
      throw new Error(`Line ${line.line} of the configurations of run ${record.runId} has no outcome.`);
    const path = 'path' in line ? line.path : undefined;
    const id = 'id' in line ? line.id : undefined;
    return { line: line.line, id, path, ...verdict };
  });

  const outcomes = noOutcomes();
  for (const { outcome } of rows) outcomes[outcome] += 1;
  const counts = { ...countsOf(configurations), outcomes };
  const sum = OUTCOMES.reduce((total, outcome) => total + outcomes[outcome], 0);
  if (sum !== counts.lines) {
    throw new Error(
      `The outcomes of the configurations of run ${record.runId} do not add up: ${sum} of ${counts.lines}.`,
    );
  }

  const file = `${folder}/configurations.csv`;
  const table = rows.map(({ line, id, outcome, code, path, reason, action }) => [
    line,
    id ?? '',
    outcome,
    code ?? '',
    path ?? '',
    reason ?? '',
    action ?? '',
  ]);
  const text = tableText([CSV_HEADER, ...table]);
  await context.storage
    .container(RESULTS_CONTAINER)
    .getBlockBlobClient(file)
    .upload(text, Buffer.byteLength(text), { blobHTTPHeaders: { blobContentType: 'text/csv; charset=utf-8' } });

  const before = (await readInput(context, record.runId))?.before;
  const section = {
    counts,
    sha256: configurations.sha256,
    lines: rows
      .filter(({ outcome }) => needsPerson(outcome))
      .map(({ id, path, ...row }) => ({ ...row, ...(id && { configurationId: id }), ...(path && { path }) })),
    before: before && { container: stagingOf(context, record.runId).containerName, blobName: before },
  };
  return { counts, section, file };
}

/** What the record of a run says of its configurations before they are settled. */
export function countsOf({ lines, accepted, rejected }: ConfigurationsCheck): RunConfigurations {
  return { lines, accepted, rejected };
}

/** A run is completed only when its configurations are, too. */
export function endingWith(configurations: RunConfigurations | undefined, ending: Ending): Ending {
  const { outcomes } = configurations ?? {};
  const troubled = OUTCOMES.some((outcome) => needsPerson(outcome) && (outcomes?.[outcome] ?? 0) > 0);
  return ending.state === 'completed' && troubled ? { ...ending, state: 'completedWithFailures' } : ending;
}

function verdictOn(line: CheckedLine, accepted: Verdict | undefined): Verdict | undefined {
  switch (line.kind) {
    case 'accepted':
      return accepted;
    case 'rejected': {
      const { code, reason, action } = line;
      return { outcome: 'rejected', code, reason, action };
    }
    case 'skipped':
      return { outcome: 'skipped', code: 'plainFirstLine', reason: SKIP_REASONS.plainFirstLine.says };
    default: {
      const never: never = line;
      throw new Error(`A line is of a kind that this version does not know: ${JSON.stringify(never)}`);
    }
  }
}
