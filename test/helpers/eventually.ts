import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again and again until there is an answer that is not undefined; fails after `timeoutMs`. */
export async function eventually<T>(
  ask: () => T | undefined | Promise<T | undefined>,
  what: string,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) {
      return answer;
    }
    if (Date.now() > deadline) {
      throw new Error(`Nothing like "${what}" within ${timeoutMs} ms.`);
    }
    await sleep(50);
  }
}
