import { describe, expect, it } from 'vitest';

import {
  countOf,
  createQueueEntries,
  entryOf,
  membersOfEntry,
  type QueueEntry,
} from '../../../../src/lib/mirror/store/queueEntries.ts';

const entry = (rowKey: string, due: string, ...of: readonly string[]): QueueEntry => ({
  partitionKey: 'p',
  rowKey,
  due,
  of,
});

describe('what is known of entries of the queue', () => {
  it('is which rows are still wanted for them, and which entries are of no use any more', () => {
    const entries = createQueueEntries(100);
    expect(entries.add(entry('q1', '2026', 'ia', 'ib'))).toEqual(['ia', 'ib']);
    expect(entries.add(entry('q2', '2027', 'ia'))).toEqual(['ia']);
    entries.settle('p', 'ia', '2027', entries.now());
    expect(entries.add(entry('q1', '2026', 'ia', 'ib'))).toEqual(['ib']);
    expect([entries.left('p', 'q1'), entries.left('p', 'q2'), entries.left('other', 'q1')]).toEqual([1, 1, undefined]);
    expect(entries.finished('p')).toEqual([]);
    entries.settle('p', 'ib', undefined, entries.now());
    expect([entries.finished('p'), entries.finished('other')]).toEqual([['q1'], []]);
    entries.settle('p', 'ia', undefined, entries.now());
    expect(entries.finished('p')).toEqual(['q1', 'q2']);
    entries.drop('p', ['q1', 'none']);
    expect([entries.finished('p'), entries.left('p', 'q1')]).toEqual([['q2'], undefined]);
    // Who has read it before it went lists it once more.
    expect(entries.add(entry('q1', '2026', 'ia', 'ib'))).toEqual(['ia', 'ib']);
  });

  it('does not come from a look at a row that was begun before the entry was there', () => {
    const entries = createQueueEntries(100);
    const before = entries.now();
    entries.add(entry('q1', '2026', 'ia'));
    entries.settle('p', 'ia', undefined, before);
    expect(entries.left('p', 'q1')).toBe(1);
    entries.settle('p', 'ia', '2026', entries.now());
    expect(entries.left('p', 'q1')).toBe(1);
    entries.settle('p', 'ia', '2025', entries.now());
    expect(entries.finished('p')).toEqual(['q1']);
  });

  it('is forgotten, the oldest first, when it is of too many rows', () => {
    const entries = createQueueEntries(3);
    entries.add(entry('q1', '2026', 'ia', 'ib'));
    entries.settle('p', 'ia', undefined, entries.now());
    entries.add(entry('q2', '2026', 'ic', 'id'));
    expect(entries.left('p', 'q1')).toBe(1);
    entries.add(entry('q3', '2026', 'ie'));
    expect([entries.left('p', 'q1'), entries.left('p', 'q2'), entries.left('p', 'q3')]).toEqual([undefined, 2, 1]);
    entries.add(entry('q4', '2026', 'i1', 'i2', 'i3', 'i4'));
    expect([entries.left('p', 'q2'), entries.left('p', 'q4')]).toEqual([undefined, 4]);
    for (const row of ['i1', 'i2', 'i3', 'i4']) entries.settle('p', row, undefined, entries.now());
    expect(entries.finished('p')).toEqual(['q4']);
  });
});

describe('an entry as an entity', () => {
  it('is read as it was written, however long its rows are', () => {
    const rows = Array.from({ length: 100 }, (_, n) => `i${n}${'"'.repeat(258)}`.slice(0, 258));
    const members = JSON.parse(`{${membersOfEntry({ due: '2026', of: rows })}}`) as Record<string, unknown>;
    expect(entryOf('p', { ...members, rowKey: 'q1' })).toEqual(entry('q1', '2026', ...rows));
    expect(countOf(members)).toBe(100);
    // A property has 64 KiB, two bytes a character.
    expect(String(members['Rows']).length).toBeLessThan(32 * 1024);
  });
});
