export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** At least so wide. */
  readonly width?: number;
}

/** Lines of a plain table, columns two blanks apart, without blanks at the end of a line. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, column.width ?? 0, ...rows.map((row) => (row[index] ?? '').length)),
  );
  const renderLine = (cells: readonly string[]): string =>
    columns
      .map((column, index) => {
        const width = widths[index] ?? 0;
        const cell = cells[index] ?? '';
        return column.align === 'right' ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [renderLine(columns.map((column) => column.title)), ...rows.map(renderLine)];
}
