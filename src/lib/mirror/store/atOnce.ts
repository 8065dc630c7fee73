/** Work on many things, some at once. */

/**
 * The results, in the order of `items`. After a failure nothing more is begun, and what has begun is waited for: no call
 * goes on behind the back of whoever handles the error.
 */
export async function mapAtOnce<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  run: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  const failures: unknown[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const index = next;
      next += 1;
      try {
        results[index] = await run(items[index] as Item, index);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work));
  if (failures.length > 0) throw failures[0];
  return results;
}

/** The results one by one, in the order of `items`, while the next ones are worked on. */
export async function* mapAhead<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  run: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void, void> {
  const running: Promise<Result>[] = [];
  const begin = (index: number): void => {
    const item = items[index];
    if (item !== undefined) running.push(heldBack(run(item)));
  };
  for (let index = 0; index < atOnce; index += 1) begin(index);
  for (let index = 0; index < items.length; index += 1) {
    const result = await running.shift();
    begin(index + atOnce);
    yield result as Result;
  }
}

/** Whose error, if any, is looked at later, or never if nobody goes on: it must not end the process meanwhile. */
export function heldBack<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}

/** Lets only so many calls run at a time, whoever makes them. */
export function createGate(atOnce: number): <Result>(run: () => Promise<Result>) => Promise<Result> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (run) => {
    if (running >= atOnce) await new Promise<void>((enter) => waiting.push(enter));
    else running += 1;
    try {
      return await run();
    } finally {
      const enter = waiting.shift();
      if (enter === undefined) running -= 1;
      else enter();
    }
  };
}
