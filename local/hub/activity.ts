/** What the hub has been asked since the start or the last reset, for tests and people to look at. */
export interface Activity {
  replied(operation: string, status: number): void;
  /** A reply that was never sent. */
  dropped(operation: string): void;
  bulkItems(count: number): void;
  /** Items that a throttle admitted. */
  admitted(kind: string, items: number): void;
  snapshot(): ActivitySnapshot;
  clear(): void;
}

export interface ActivitySnapshot {
  /** By operation name: how many replies had which status; `dropped` counts lost replies. */
  readonly operations: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly admittedItems: Readonly<Record<string, number>>;
  readonly largestBulkCall: number;
}

export function createActivity(): Activity {
  let operations: Record<string, Record<string, number>> = {};
  let admittedItems: Record<string, number> = {};
  let largestBulkCall = 0;
  const count = (operation: string, what: string) => {
    operations[operation] ??= {};
    const counts = operations[operation];
    counts[what] = (counts[what] ?? 0) + 1;
  };
  return {
    replied: (operation, status) => count(operation, String(status)),
    dropped: (operation) => count(operation, 'dropped'),
    bulkItems: (items) => {
      largestBulkCall = Math.max(largestBulkCall, items);
    },
    admitted: (kind, items) => {
      admittedItems[kind] = (admittedItems[kind] ?? 0) + items;
    },
    snapshot: () => structuredClone({ operations, admittedItems, largestBulkCall }),
    clear: () => {
      operations = {};
      admittedItems = {};
      largestBulkCall = 0;
    },
  };
}
