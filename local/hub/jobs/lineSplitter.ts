export interface InputLine {
  /** The line without its end (LF or CRLF). Of an over-long line only the beginning. */
  readonly text: string;
  /** Offset of the byte after the line. */
  readonly end: number;
  readonly overlong: boolean;
}

export interface LineSplitter {
  feed(chunk: Buffer): InputLine[];
  /** The last line, if the input did not end with a line end. */
  finish(): InputLine | undefined;
}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/**
 * Cuts a byte stream into lines and keeps count of bytes, so that reading can go on at any line. A line that spans
 * chunks is joined once, at its end; beyond `maxBytes` the rest of a line is dropped.
 */
export function createLineSplitter(offset: number, maxBytes: number): LineSplitter {
  let pieces: Buffer[] = [];
  let held = 0;
  let overlong = false;
  let position = offset;

  const hold = (piece: Buffer) => {
    const room = maxBytes - held;
    if (piece.length > room) overlong = true;
    const kept = piece.length > room ? piece.subarray(0, room) : piece;
    if (kept.length > 0) pieces.push(kept);
    held += kept.length;
  };
  const take = (): InputLine => {
    const bytes = pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
    const end = !overlong && bytes.at(-1) === CARRIAGE_RETURN ? bytes.length - 1 : bytes.length;
    const line = { text: bytes.toString('utf8', 0, end), end: position, overlong };
    pieces = [];
    held = 0;
    overlong = false;
    return line;
  };

  return {
    feed: (chunk) => {
      const lines: InputLine[] = [];
      let start = 0;
      for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, start)) {
        hold(chunk.subarray(start, at));
        position += at + 1 - start;
        start = at + 1;
        lines.push(take());
      }
      hold(chunk.subarray(start));
      position += chunk.length - start;
      return lines;
    },
    finish: () => (held > 0 || overlong ? take() : undefined),
  };
}
