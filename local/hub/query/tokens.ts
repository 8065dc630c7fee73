/** A query that is not understood; the position is a character offset. */
export class QuerySyntaxError extends Error {
  override readonly name = 'QuerySyntaxError';
  readonly position: number;

  constructor(message: string, position: number) {
    super(`${message} at position ${position}`);
    this.position = position;
  }
}

export type Token =
  | { readonly kind: 'word'; readonly text: string; readonly position: number }
  /** `[[name]]` after a dot. */
  | { readonly kind: 'bracketed'; readonly text: string; readonly position: number }
  | { readonly kind: 'string'; readonly value: string; readonly position: number }
  | { readonly kind: 'number'; readonly value: number; readonly position: number }
  | { readonly kind: 'symbol'; readonly text: string; readonly position: number }
  | { readonly kind: 'end'; readonly position: number };

const SYMBOLS = ['!=', '<>', '<=', '>=', '=', '<', '>', '(', ')', '[', ']', ',', '.', '*', '+', '-', '/', '%'];
const SPACE = /\s+/y;
const WORD = /[A-Za-z_$][A-Za-z0-9_$]*/y;
const BRACKETED = /(?<=\.)\[\[([^\]]+)\]\]/y;
const NUMBER = /0[xX][0-9A-Fa-f]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/sy;
const ESCAPE = /\\u([0-9A-Fa-f]{4})|\\(.)/gs;

/** Cuts a query into tokens; the last one is of kind `end`. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = position;
    return pattern.exec(text)?.[0];
  };
  while (position < text.length) {
    const space = take(SPACE);
    if (space !== undefined) {
      position += space.length;
      continue;
    }
    const token = nextToken(text, position, take);
    tokens.push(token.value);
    position += token.length;
  }
  tokens.push({ kind: 'end', position });
  return tokens;
}

function nextToken(
  text: string,
  position: number,
  take: (pattern: RegExp) => string | undefined,
): { value: Token; length: number } {
  const word = take(WORD);
  if (word !== undefined) return { value: { kind: 'word', text: word, position }, length: word.length };
  const bracketed = take(BRACKETED);
  if (bracketed !== undefined) {
    return { value: { kind: 'bracketed', text: bracketed.slice(2, -2), position }, length: bracketed.length };
  }
  const number = take(NUMBER);
  if (number !== undefined)
    return { value: { kind: 'number', value: Number(number), position }, length: number.length };
  const quoted = take(STRING);
  if (quoted !== undefined) {
    const value = quoted.slice(1, -1).replace(ESCAPE, (_, code: string | undefined, letter: string) => {
      return code === undefined ? letter : String.fromCharCode(Number.parseInt(code, 16));
    });
    return { value: { kind: 'string', value, position }, length: quoted.length };
  }
  const symbol = SYMBOLS.find((candidate) => text.startsWith(candidate, position));
  if (symbol !== undefined) return { value: { kind: 'symbol', text: symbol, position }, length: symbol.length };
  throw new QuerySyntaxError(`Unexpected character '${text[position]}'`, position);
}
