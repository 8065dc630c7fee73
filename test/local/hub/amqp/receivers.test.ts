import { describe, expect, it } from 'vitest';
import { createReceivers, type PartitionReceiver, type Receivers } from '../../../../local/hub/amqp/receivers.ts';

function enter(receivers: Receivers, epoch?: number, place: { consumerGroup?: string; partition?: number } = {}) {
  const ended: string[] = [];
  const receiver: PartitionReceiver = {
    consumerGroup: 'mirror',
    partition: 0,
    ...place,
    epoch,
    name: `r${epoch}`,
    position: -1,
    end: ({ condition }) => ended.push(condition),
    wake: () => undefined,
    rewind: () => undefined,
  };
  return { receiver, ended, refused: receivers.admit(receiver)?.condition };
}

describe('a receiver with an epoch', () => {
  it.each([
    ['one with none', undefined, 0],
    ['one with the same', 3, 3],
    ['one with a lower', 3, 4],
  ])('ends %s', (_, first, second) => {
    const receivers = createReceivers();
    const old = enter(receivers, first);
    const now = enter(receivers, second);
    expect([now.refused, old.ended, now.ended]).toEqual([undefined, ['amqp:link:stolen'], []]);
    expect(receivers.all()).toEqual([now.receiver]);
  });

  it.each([
    ['one with none', 0, undefined],
    ['one with a lower', 4, 3],
  ])('keeps out %s', (_, first, second) => {
    const receivers = createReceivers();
    const old = enter(receivers, first);
    expect([enter(receivers, second).refused, old.ended]).toEqual(['amqp:link:stolen', []]);
    expect(receivers.all()).toEqual([old.receiver]);
    receivers.remove(old.receiver);
    expect(enter(receivers, second).refused).toBeUndefined();
  });

  it('leaves other consumer groups and partitions alone', () => {
    const receivers = createReceivers();
    const others = [enter(receivers, 1, { consumerGroup: 'other' }), enter(receivers, undefined, { partition: 1 })];
    expect(enter(receivers, 7).refused).toBeUndefined();
    expect(others.flatMap(({ ended, refused }) => [...ended, refused ?? ''])).toEqual(['', '']);
  });
});

describe('receivers without epoch', () => {
  it('are five at most in a consumer group of a partition', () => {
    const receivers = createReceivers();
    const all = Array.from({ length: 6 }, () => enter(receivers));
    expect(all.map(({ refused }) => refused)).toEqual([...Array(5).fill(undefined), 'amqp:resource-limit-exceeded']);
    expect(enter(receivers, undefined, { partition: 1 }).refused).toBeUndefined();
  });
});
