/** The primary key of a line of a devices file or an export; undefined when it has none. A secret. */
export function primaryKeyOf(line: Readonly<Record<string, unknown>>): string | undefined {
  const { symmetricKey } = (line['authentication'] ?? {}) as { readonly symmetricKey?: unknown };
  const { primaryKey } = (symmetricKey ?? {}) as { readonly primaryKey?: unknown };
  return typeof primaryKey === 'string' ? primaryKey : undefined;
}
