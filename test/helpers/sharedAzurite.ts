import { shareAzurite } from './azurite.ts';

let stop: (() => Promise<void>) | undefined;

/** Vitest calls this before all tests. */
export async function setup(): Promise<void> {
  stop = await shareAzurite();
}

/** Vitest calls this after all tests. */
export async function teardown(): Promise<void> {
  await stop?.();
}
