import { parse } from 'csv-parse/sync';

/** Reads the CSV files of a report as docs/provisioning.md says: this knows nothing of how they are written. */
export function readReport<Row = Record<string, string>>(text: string): Row[] {
  const rows = parse(text, { columns: true }) as Record<string, string>[];
  return rows.map(
    (row) => Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, original(cell)])) as Row,
  );
}

function original(cell: string): string {
  return cell.replace(/(?<=^|[;\t\r\n])'/g, '');
}
