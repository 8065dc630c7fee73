import { describe, expect, it } from 'vitest';

import { RowTooLarge, type RowWrite, StoreUnavailable } from '../../../../src/lib/mirror/store/mirrorStore.ts';
import { createQueueEntries } from '../../../../src/lib/mirror/store/queueEntries.ts';
import { rowKeyOf } from '../../../../src/lib/mirror/store/rowKeys.ts';
import type { TableAccess } from '../../../../src/lib/mirror/store/tableAccess.ts';
import { StoreRefused } from '../../../../src/lib/mirror/store/tableErrors.ts';
import type { Operation } from '../../../../src/lib/mirror/store/transaction.ts';
import { createWriteGroups } from '../../../../src/lib/mirror/store/writeGroups.ts';
import { rowOf } from './storeContract.ts';

const insertOf = (deviceId: string, more: object = {}): RowWrite => {
  const row = rowOf('hub', { deviceId }, more);
  return { key: { deviceId }, row };
};
const inserts = (...ids: readonly string[]): RowWrite[] => ids.map((id) => insertOf(id));
const ids = (writes: readonly RowWrite[]) => writes.map(({ key }) => key.deviceId);

/** A table whose transactions end when they are let go. `refuse` has the error of one. */
function setUp(atOnce = 2, refuse: (keys: readonly string[]) => Error | undefined = () => undefined) {
  const sent: { readonly keys: readonly string[]; readonly letGo: () => void }[] = [];
  const known = new Set<string>();
  const table = {
    get: async (_, rowKey) => (known.has(rowKey) ? { rowKey, etag: 'x', State: 'present' } : undefined),
    async transact(_, operations: readonly Operation[]) {
      const keys = operations.map(({ rowKey }) => rowKey);
      await new Promise<void>((letGo) => sent.push({ keys: keys.map((key) => key.slice(1)), letGo }));
      const error = refuse(keys.map((key) => key.slice(1)));
      if (error !== undefined) throw error;
      const at = keys.findIndex((key) => known.has(key));
      if (at >= 0) return { failure: { status: 409, code: 'EntityAlreadyExists' }, at };
      for (const key of keys) known.add(key);
      return { etags: keys.map((key) => `of ${key}`) };
    },
  } satisfies Partial<TableAccess> as unknown as TableAccess;
  const log = { known: () => undefined, written: () => undefined, unknown: () => undefined };
  const queue = createQueueEntries(100);
  const groups = createWriteGroups((partitionKey) => ({ table, partitionKey, log, queue }), atOnce);
  const write = (writes: readonly RowWrite[], partition = 'p', call = { isOver: false }) =>
    groups.write(partition, writes, call).then(ids, (error: Error) => error.name);
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const letAllGo = async () => {
    for (let at = 0; at < sent.length; at += 1) {
      sent[at]?.letGo();
      await settle();
    }
  };
  return { write, sent, known, letAllGo, settle, keys: () => sent.map(({ keys }) => keys) };
}

describe('writes of one bucket', () => {
  it('that come while one of its transactions runs go together, whoever asks for them', async () => {
    const { write, letAllGo, keys } = setUp();
    const all = Promise.all([write(inserts('a', 'b')), write(inserts('c')), write(inserts('d', 'e'))]);
    await letAllGo();
    expect(await all).toEqual([[], [], []]);
    expect(keys()).toEqual([
      ['a', 'b'],
      ['c', 'd', 'e'],
    ]);
  });

  it('are told of their own conflicts', async () => {
    const { write, known, letAllGo, keys } = setUp();
    for (const deviceId of ['c', 'e']) known.add(rowKeyOf({ deviceId }));
    const all = Promise.all([write(inserts('a')), write(inserts('b', 'c')), write(inserts('d')), write(inserts('e'))]);
    await letAllGo();
    expect(await all).toEqual([[], ['c'], [], ['e']]);
    expect(keys().at(-1)).toEqual(['b', 'd']);
  });

  it('of one row come one after the other', async () => {
    const { write, letAllGo, keys } = setUp();
    const all = Promise.all([write(inserts('a')), write(inserts('b', 'c')), write(inserts('b', 'd'))]);
    await letAllGo();
    expect(await all).toEqual([[], [], ['b']]);
    expect(keys().slice(0, 3)).toEqual([['a'], ['b', 'c'], ['b', 'd']]);
  });

  it('are as many as a transaction has room for, and go on behind those of other buckets', async () => {
    const { write, letAllGo, sent } = setUp(1);
    const many = Array.from({ length: 250 }, (_, n) => `d${n}`);
    const all = Promise.all([write(inserts(...many)), write(inserts('other'), 'q'), write(inserts('x'))]);
    await letAllGo();
    expect(await all).toEqual([[], [], []]);
    expect(sent.map(({ keys }) => keys.length > 90)).toEqual([true, false, true, false]);
    expect(sent[3]?.keys).toContain('x');
  });

  it('run for so many buckets at once', async () => {
    const { write, sent, letAllGo, settle } = setUp(2);
    const all = Promise.all(['p', 'q', 'r', 'p'].map((partition, at) => write(inserts(`d${at}`), partition)));
    await settle();
    expect(sent).toHaveLength(2);
    await letAllGo();
    expect(await all).toEqual([[], [], [], []]);
  });
});

describe('a write that fails', () => {
  it('because the service refuses one row fails no other', async () => {
    const refuse = (keys: readonly string[]) => (keys.includes('bad') ? new StoreRefused('No.') : undefined);
    const { write, known, letAllGo } = setUp(2, refuse);
    const all = Promise.all([write(inserts('a')), write(inserts('b')), write(inserts('bad')), write(inserts('c'))]);
    await letAllGo();
    expect(await all).toEqual([[], [], 'StoreRefused', []]);
    expect([...known]).toEqual(['a', 'b', 'c'].map((deviceId) => rowKeyOf({ deviceId })));
  });

  it('for a row that is too large fails no other', async () => {
    const { write, letAllGo } = setUp();
    const twin = { version: 1, tags: {}, desired: { text: 'x'.repeat(2 ** 20) }, reported: {} };
    const all = Promise.all([write(inserts('a')), write([insertOf('large', { twin })]), write(inserts('c'))]);
    await letAllGo();
    expect(await all).toEqual([[], RowTooLarge.name, []]);
  });

  it('for the service is not there is told to all that it was of, and nothing more of them is begun', async () => {
    let isDown = true;
    const { write, letAllGo, sent, settle } = setUp(2, () =>
      isDown ? new StoreUnavailable('It is not there.') : undefined,
    );
    const many = Array.from({ length: 150 }, (_, n) => `d${n}`);
    const both = Promise.all([write(inserts(...many)), write(inserts('b'))]);
    sent[0]?.letGo();
    await settle();
    isDown = false;
    await letAllGo();
    expect(await both).toEqual(['StoreUnavailable', []]);
    expect(sent).toHaveLength(2);
  });

  it('in another bucket ends what has not begun', async () => {
    const { write, sent, letAllGo } = setUp();
    const call = { isOver: false };
    const many = Array.from({ length: 150 }, (_, n) => `d${n}`);
    const all = Promise.all([write(inserts(...many), 'p', call), write(inserts('b'))]);
    call.isOver = true;
    await letAllGo();
    expect(await all).toEqual([[], []]);
    expect(sent.map(({ keys }) => keys.length)).toEqual([98, 1]);
  });
});
