/** What a comparison found, as text for people. */

import type { ChangeRecord, PlanCounts } from '../../src/lib/registryLines/changeForms.ts';
import { formatCount, formatPlural } from './format.ts';
import type { Output, Style } from './output.ts';
import { renderTable } from './table.ts';
import { wrap, wrapFinding } from './wrap.ts';

type Look = Pick<Output, 'style' | 'columns'>;

const ROWS = [
  ['create', 'green'],
  ['change', 'yellow'],
  ['delete', 'red'],
  ['unchanged', undefined],
] as const;

/** What there would be to do, devices and modules apart. */
export function renderCounts(counts: PlanCounts, { style: paint }: Look): readonly string[] {
  const rows = ROWS.map(([name]) => [
    name,
    formatCount(counts[name] - counts.modules[name]),
    formatCount(counts.modules[name]),
  ]);
  const table = renderTable(
    [{ title: '' }, { title: 'devices', align: 'right' }, { title: 'modules', align: 'right' }],
    counts.rejected === 0 ? rows : [...rows, ['rejected', formatCount(counts.rejected)]],
  );
  return table.map((line, index) => {
    const [name, color] = ROWS[index - 1] ?? [];
    const isNothing = name !== undefined && counts[name] === 0;
    const style: Style | undefined = index > ROWS.length ? 'red' : isNothing ? undefined : color;
    return style === undefined ? `  ${line}` : paint(style, `  ${line}`);
  });
}

/** A device before its modules. */
export function compareIds(a: ChangeRecord, b: ChangeRecord): number {
  if (a.id !== b.id) return a.id < b.id ? -1 : 1;
  return (a.moduleId ?? '') < (b.moduleId ?? '') ? -1 : 1;
}

const CHANGE_STYLES = { created: 'green', changed: 'yellow', deleted: 'red' } as const;
const KIND_WIDTH = 'created'.length;
/** All of them are in the JSON. */
const SHOWN_FIELDS = 6;
/** An id takes at most this part of the width, for the fields need some, too. */
const NAME_PART = 0.45;

/** Changes with their fields, which go on below each other where they are many. */
export function renderChanges(changes: readonly ChangeRecord[], { style: paint, columns }: Look): readonly string[] {
  const names = changes.map(({ id, moduleId }) => (moduleId === undefined ? id : `${id}/${moduleId}`));
  const most = columns === undefined ? Number.POSITIVE_INFINITY : Math.max(16, Math.floor(columns * NAME_PART));
  const width = Math.min(most, Math.max(0, ...names.map((name) => name.length)));
  const indent = 2 + KIND_WIDTH + 2 + width + 2;
  return changes.flatMap(({ change, fields, moreFields }, index) => {
    const hidden = Math.max(0, fields.length - SHOWN_FIELDS) + (moreFields ?? 0);
    const said = fields.slice(0, SHOWN_FIELDS).join(', ') + (hidden === 0 ? '' : ` and ${formatCount(hidden)} more`);
    const [first = '', ...others] = wrapFinding(said, indent, columns);
    const name = shortened(names[index] ?? '', width).padEnd(width);
    return [`  ${paint(CHANGE_STYLES[change], change)}  ${name}  ${first.trimStart()}`.trimEnd(), ...others];
  });
}

/** Without its middle: the ends tell ids apart. */
function shortened(name: string, width: number): string {
  if (name.length <= width) return name;
  const end = Math.floor((width - 1) / 2);
  return `${name.slice(0, width - 1 - end)}…${name.slice(name.length - end)}`;
}

/** What could not be compared, in words; nothing where all could. */
export function renderUnknownKeys({ keysUnknown }: PlanCounts, { columns }: Look): readonly string[] {
  if (keysUnknown === 0) return [];
  const whose = `The keys or thumbprints of ${formatPlural(keysUnknown, 'identity', 'identities')}`;
  return ['', ...wrap(`${whose} stand on one side only, and were not compared.`, 0, columns)];
}
