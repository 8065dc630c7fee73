/** What a restore or an undo would do, as text for people. */

import { parseBackupName } from '../../src/lib/backup/backupName.ts';
import type { ChangeRecord } from '../../src/lib/registryLines/changeForms.ts';
import type { PlanCountsOfMode } from '../../src/lib/restore/planTally.ts';
import type { UndoResult } from '../../src/lib/undo/writeUndoPlan.ts';
import { compareIds, renderChanges, renderCounts, renderUnknownKeys } from './comparisonText.ts';
import { formatCount, formatDuration, largestUnit } from './format.ts';
import type { Output } from './output.ts';
import { restoreNotes, undoNotes } from './planNotes.ts';
import { shortId } from './runWords.ts';
import { wrap } from './wrap.ts';

type Look = Pick<Output, 'style' | 'columns'>;

export interface ReadPlan {
  /** Of devices and modules. */
  readonly changes: readonly ChangeRecord[];
  /** Of configurations, and lines that cannot be compared. */
  readonly others: readonly Readonly<Record<string, unknown>>[];
}

/** The result of a plan of a restore. */
export interface RestorePlanResult extends PlanCountsOfMode {
  readonly backup: string;
  readonly mode: string;
  /** Blob of all changes. */
  readonly changes: string;
}

export type HubPlanResult = RestorePlanResult | UndoResult;

export interface ShownPlan {
  readonly result: HubPlanResult;
  /** Alias of the hub that it is for. */
  readonly hub: string;
  readonly now: Date;
  readonly plan: ReadPlan;
  readonly out: string | undefined;
}

export function renderHubPlan(shown: ShownPlan, look: Look): readonly string[] {
  const { result, plan, out } = shown;
  const { style: paint, columns } = look;
  const isUndo = 'run' in result;
  const title = isUndo ? `To undo run ${shortId(result.run)} on the hub ${shown.hub}:` : restoreTitle(result, shown);
  const lines = [...wrap(title, 0, columns).map((line) => paint('bold', line)), '', ...renderCounts(result, look)];
  const { create, change, delete: remove } = result.configurations;
  const configurations = [
    [create, 'to create'],
    [change, 'to change'],
    [remove, 'to delete'],
  ] as const;
  const wanted = configurations.filter(([count]) => count > 0).map(([count, what]) => `${formatCount(count)} ${what}`);
  if (wanted.length > 0) lines.push('', `  configurations: ${wanted.join(', ')}`);
  const all = result.create + result.change + result.delete;
  if (!isUndo && all === 0 && wanted.length === 0 && result.notFound?.all !== true)
    lines.push('', '  Nothing to do: there is no difference that this mode would change.');
  if (plan.changes.length > 0) {
    const { length } = plan.changes;
    lines.push('', all > length ? `${length} of ${formatCount(all)} changes:` : 'The changes:', '');
    lines.push(...renderChanges(plan.changes.toSorted(compareIds), look));
  }
  if (isUndo) lines.push(...renderForeign(result, plan.others, look));
  const notes = isUndo ? undoNotes(result) : restoreNotes(result, 'planned');
  for (const text of notes) lines.push('', ...wrap(text, 2, columns));
  if (!isUndo) lines.push(...renderUnknownKeys(result, look));
  if (out !== undefined) lines.push('', `All of them, one a line: ${out}`);
  return lines;
}

/** Which backup it is, of which hub and how old: `latest` says none of that. */
function restoreTitle({ backup, mode }: RestorePlanResult, { hub, now }: ShownPlan): string {
  const { hub: of, at } = parseBackupName(backup) ?? {};
  const whose = of === hub ? '' : ` of the hub ${of}`;
  const age = at === undefined ? '' : `, ${largestUnit(formatDuration(now.getTime() - at.getTime()))} old`;
  return `From the hub ${hub} to the backup ${backup}${whose}${age} (${mode}):`;
}

/** What is somebody else's, by name and fields. */
function renderForeign(
  { foreign, configurations }: UndoResult,
  others: ReadPlan['others'],
  { style: paint, columns }: Look,
): readonly string[] {
  const all = foreign + configurations.foreign;
  if (all === 0) return [];
  const rows = others.filter(({ change }) => change === 'foreign');
  const title = all > rows.length ? `${rows.length} of ${formatCount(all)} that` : 'What';
  const lines = rows.flatMap(({ id, moduleId, configuration, fields }) => {
    const name = [configuration === undefined ? id : `configuration ${configuration}`, moduleId].filter(Boolean);
    return wrap(`${name.join('/')}: ${(fields as readonly string[]).join(', ')}`, 2, columns);
  });
  return ['', paint('yellow', `${title} somebody else has changed since:`), '', ...lines];
}
