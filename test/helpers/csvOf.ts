/** Objects that are spread over columns; what else is an object or array becomes a cell of JSON. */
const SPREAD =
  /^(?:|authentication|authentication\.(?:symmetricKey|x509Thumbprint)|tags|tags\.place|properties|properties\.desired|capabilities)$/;

/** Devices as CSV, with a column for every field that one of them has: text in quotes, the rest bare. */
export function csvOf(
  devices: readonly object[],
  { delimiter = ',', newline = '\n' }: { readonly delimiter?: string; readonly newline?: string } = {},
): string {
  const columns = new Set<string>();
  const rows = devices.map((device) => {
    const cells = new Map<string, string>();
    spread(device, '', cells);
    for (const column of cells.keys()) columns.add(column);
    return cells;
  });
  const names = [...columns];
  return [names, ...rows.map((cells) => names.map((name) => cells.get(name) ?? ''))]
    .map((cells) => cells.join(delimiter) + newline)
    .join('');
}

function spread(value: unknown, path: string, cells: Map<string, string>): void {
  if (SPREAD.test(path)) {
    for (const [key, inner] of Object.entries(value as object)) {
      spread(inner, path === '' ? key : `${path}.${key}`, cells);
    }
    return;
  }
  const bare = typeof value === 'number' || typeof value === 'boolean';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  cells.set(path, bare ? text : `"${text.replaceAll('"', '""')}"`);
}
