/**
 * Cuts a stream of bytes into lines: a pure push parser that knows nothing of streams, encodings or JSON.
 * Memory is bounded by the longest line that is allowed; a longer one is counted, not kept.
 */

const NEWLINE = 10;

export interface LineEvents {
  /** `bytes[start, end)` is about to be handed out, line by line; whole lines, so no character is cut. */
  block(bytes: Buffer, start: number, end: number): void;
  /** One line without its newline (a carriage return stays). The bytes are valid only during the call. */
  line(bytes: Buffer, start: number, end: number): void;
  /** A line of `length` bytes, too long to be kept; `head` are its first bytes, valid only during the call. */
  longLine(head: Buffer, length: number): void;
}

export interface LineSplitterOptions {
  /** Longest line that is handed out whole, bytes. */
  readonly maxLineBytes: number;
  /** How much of a longer line is kept. */
  readonly headBytes: number;
}

export interface LineSplitter {
  feed(chunk: Buffer): void;
  /** The input is over: a last line without newline is handed out. */
  end(): void;
}

export function createLineSplitter(options: LineSplitterOptions, events: LineEvents): LineSplitter {
  const keep = Math.max(options.maxLineBytes, options.headBytes);
  // One buffer that grows by doubling, not a list of fragments: with input of one byte a chunk, a list would hold a
  // million objects for a line of one megabyte, and joining at each chunk would be quadratic.
  let carry = Buffer.allocUnsafe(Math.min(keep, 4096));
  let kept = 0;
  let carried = 0;

  function carryOver(chunk: Buffer, start: number, end: number): void {
    const take = Math.min(end - start, keep - kept);
    if (kept + take > carry.length) {
      const larger = Buffer.allocUnsafe(Math.min(keep, Math.max(carry.length * 2, kept + take)));
      carry.copy(larger, 0, 0, kept);
      carry = larger;
    }
    chunk.copy(carry, kept, start, start + take);
    kept += take;
    carried += end - start;
  }

  function finishCarried(): void {
    if (carried > options.maxLineBytes) {
      events.longLine(carry.subarray(0, Math.min(kept, options.headBytes)), carried);
    } else {
      events.block(carry, 0, carried);
      events.line(carry, 0, carried);
    }
    kept = 0;
    carried = 0;
  }

  return {
    feed(chunk) {
      let start = 0;
      if (carried > 0) {
        const newline = chunk.indexOf(NEWLINE);
        if (newline < 0) {
          carryOver(chunk, 0, chunk.length);
          return;
        }
        carryOver(chunk, 0, newline);
        finishCarried();
        start = newline + 1;
      }
      const end = chunk.lastIndexOf(NEWLINE) + 1;
      if (end > start) {
        events.block(chunk, start, end);
        while (start < end) {
          const newline = chunk.indexOf(NEWLINE, start);
          if (newline - start > options.maxLineBytes) {
            events.longLine(
              chunk.subarray(start, start + Math.min(newline - start, options.headBytes)),
              newline - start,
            );
          } else {
            events.line(chunk, start, newline);
          }
          start = newline + 1;
        }
      }
      if (start < chunk.length) carryOver(chunk, start, chunk.length);
    },
    end() {
      if (carried > 0) finishCarried();
    },
  };
}
