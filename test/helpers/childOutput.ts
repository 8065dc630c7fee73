import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

/** Text that a child wrote so far, and a way to wait for more of it. */
export interface Output {
  text(): string;
  /** Resolves when `isEnough` holds for the text; rejects when the child ends first, or after `timeoutMs`. */
  waitFor(isEnough: (text: string) => boolean, what: string, timeoutMs?: number): Promise<string>;
}

export function collectOutput(child: ChildProcess, stream: Readable): Output {
  let text = '';
  let ended = false;
  const waiters = new Set<() => void>();
  const wake = () => {
    for (const waiter of waiters) {
      waiter();
    }
  };
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    text += chunk;
    wake();
  });
  child.once('close', () => {
    ended = true;
    wake();
  });
  return {
    text: () => text,
    waitFor: (isEnough, what, timeoutMs = 30_000) =>
      new Promise((resolve, reject) => {
        const finish = (settle: () => void) => {
          waiters.delete(look);
          clearTimeout(timer);
          settle();
        };
        const look = () => {
          if (isEnough(text)) {
            finish(() => resolve(text));
          } else if (ended) {
            finish(() => reject(new Error(`The process ended before ${what}; it wrote:\n${text}`)));
          }
        };
        const timer = setTimeout(
          () => finish(() => reject(new Error(`No ${what} within ${timeoutMs} ms; the process wrote:\n${text}`))),
          timeoutMs,
        );
        waiters.add(look);
        look();
      }),
  };
}

/** Sends the signal and waits for the end; the exit code, or null when the signal itself ended the process. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const closed = once(child, 'close');
    child.kill(signal);
    await closed;
  }
  return child.exitCode;
}
