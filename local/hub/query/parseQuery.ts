import { QuerySyntaxError, type Token, tokenize } from './tokens.ts';

export type Source = 'devices' | 'devices.modules' | 'devices.jobs';
export type CompareOperator = '=' | '!=' | '<' | '<=' | '>' | '>=';
export type AggregateName = 'COUNT' | 'AVG' | 'SUM' | 'MIN' | 'MAX';
export type FunctionName = 'IS_DEFINED' | 'STARTSWITH' | 'ARRAY_CONTAINS';

export type Expression =
  | { readonly kind: 'literal'; readonly value: unknown }
  | { readonly kind: 'path'; readonly segments: readonly string[] }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'logical'; readonly operator: 'AND' | 'OR'; readonly left: Expression; readonly right: Expression }
  | {
      readonly kind: 'compare';
      readonly operator: CompareOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'arithmetic';
      readonly operator: '+' | '-' | '*' | '/' | '%';
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'in'; readonly negated: boolean; readonly left: Expression; readonly list: Expression }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly args: readonly Expression[] };

export type Path = Extract<Expression, { kind: 'path' }>;

export type Projection =
  | { readonly kind: 'path'; readonly path: Path; readonly alias: string }
  | {
      readonly kind: 'aggregate';
      readonly name: AggregateName;
      readonly path: Path | undefined;
      readonly alias: string;
    };

export interface Query {
  /** '*' or the projected items. */
  readonly select: '*' | readonly Projection[];
  readonly top: number | undefined;
  readonly source: Source;
  readonly where: Expression | undefined;
  readonly groupBy: readonly Path[];
}

const AGGREGATES: readonly AggregateName[] = ['COUNT', 'AVG', 'SUM', 'MIN', 'MAX'];
const FUNCTIONS: Readonly<Record<FunctionName, number>> = { IS_DEFINED: 1, STARTSWITH: 2, ARRAY_CONTAINS: 2 };
const RESERVED = new Set(['FROM', 'WHERE', 'GROUP', 'AND', 'OR', 'NOT', 'IN', 'NIN', 'AS', 'SELECT', 'TOP', 'BY']);

/**
 * Parses the query language of device twins (https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-query-language).
 * Throws QuerySyntaxError.
 */
export function parseQuery(text: string): Query {
  return createParser(tokenize(text)).query();
}

function createParser(tokens: readonly Token[]) {
  let at = 0;
  const peek = (ahead = 0): Token => {
    const token = tokens[Math.min(at + ahead, tokens.length - 1)];
    if (token === undefined) throw new QuerySyntaxError('Empty query', 0);
    return token;
  };
  const fail = (expected: string): never => {
    const token = peek();
    const found = token.kind === 'end' ? 'the end' : `'${'text' in token ? token.text : token.value}'`;
    throw new QuerySyntaxError(`Expected ${expected}, found ${found}`, token.position);
  };
  const isWord = (word: string, ahead = 0): boolean => {
    const token = peek(ahead);
    return token.kind === 'word' && token.text.toUpperCase() === word;
  };
  const isSymbol = (symbol: string, ahead = 0): boolean => {
    const token = peek(ahead);
    return token.kind === 'symbol' && token.text === symbol;
  };
  const acceptWord = (word: string): boolean => isWord(word) && ++at > 0;
  const acceptSymbol = (symbol: string): boolean => isSymbol(symbol) && ++at > 0;
  const demandWord = (word: string): void => {
    if (!acceptWord(word)) fail(word);
  };
  const demandSymbol = (symbol: string): void => {
    if (!acceptSymbol(symbol)) fail(`'${symbol}'`);
  };
  const name = (): string => {
    const token = peek();
    if (token.kind !== 'word') return fail('a name');
    at += 1;
    return token.text;
  };
  const number = (): number => {
    const token = peek();
    if (token.kind !== 'number') return fail('a number');
    at += 1;
    return token.value;
  };

  function query(): Query {
    demandWord('SELECT');
    const top = acceptWord('TOP') ? number() : undefined;
    const select = acceptSymbol('*') ? ('*' as const) : commaSeparated(projection);
    demandWord('FROM');
    const from = source();
    const where = acceptWord('WHERE') ? expression() : undefined;
    let groupBy: Path[] = [];
    if (acceptWord('GROUP')) {
      demandWord('BY');
      groupBy = commaSeparated(path);
    }
    if (peek().kind !== 'end') fail('the end of the query');
    return { select, top, source: from, where, groupBy };
  }

  function commaSeparated<T>(item: (index: number) => T): T[] {
    const items = [item(1)];
    while (acceptSymbol(',')) items.push(item(items.length + 1));
    return items;
  }

  function projection(index: number): Projection {
    const aggregate = AGGREGATES.find((candidate) => isWord(candidate) && isSymbol('(', 1));
    if (aggregate !== undefined) {
      at += 2;
      const argument = isSymbol(')') ? undefined : path();
      demandSymbol(')');
      if (argument === undefined && aggregate !== 'COUNT') fail(`a path in ${aggregate}()`);
      return { kind: 'aggregate', name: aggregate, path: argument, alias: alias() ?? `$${index}` };
    }
    const projected = path();
    return { kind: 'path', path: projected, alias: alias() ?? projected.segments.at(-1) ?? `$${index}` };
  }

  function alias(): string | undefined {
    return acceptWord('AS') ? name() : undefined;
  }

  function source(): Source {
    const root = name().toLowerCase();
    const full = acceptSymbol('.') ? `${root}.${name().toLowerCase()}` : root;
    if (full === 'devices' || full === 'devices.modules' || full === 'devices.jobs') return full;
    throw new QuerySyntaxError(`Unknown source '${full}'`, peek().position);
  }

  function path(): Path {
    const token = peek();
    if (token.kind === 'word' && RESERVED.has(token.text.toUpperCase())) fail('a property');
    const segments = [name()];
    while (acceptSymbol('.')) {
      segments.push(bracketed() ?? name());
    }
    return { kind: 'path', segments: withoutSource(segments) };
  }

  /** `[[name]]` takes any name, e.g. a configuration's with dashes. */
  function bracketed(): string | undefined {
    const token = peek();
    if (token.kind !== 'bracketed') return undefined;
    at += 1;
    return token.text;
  }

  function expression(): Expression {
    let left = conjunction();
    while (acceptWord('OR')) left = { kind: 'logical', operator: 'OR', left, right: conjunction() };
    return left;
  }

  function conjunction(): Expression {
    let left = negation();
    while (acceptWord('AND')) left = { kind: 'logical', operator: 'AND', left, right: negation() };
    return left;
  }

  function negation(): Expression {
    return acceptWord('NOT') ? { kind: 'not', of: negation() } : comparison();
  }

  function comparison(): Expression {
    const left = sum();
    for (const symbol of ['=', '!=', '<>', '<=', '>=', '<', '>'] as const) {
      if (!acceptSymbol(symbol)) continue;
      return { kind: 'compare', operator: symbol === '<>' ? '!=' : symbol, left, right: sum() };
    }
    const negatedIn = isWord('NOT') && isWord('IN', 1) && ++at > 0;
    if (acceptWord('IN')) return { kind: 'in', negated: negatedIn, left, list: list() };
    if (acceptWord('NIN')) return { kind: 'in', negated: true, left, list: list() };
    return left;
  }

  function list(): Expression {
    if (acceptSymbol('(')) {
      const items = commaSeparated(() => sum());
      demandSymbol(')');
      return { kind: 'list', items };
    }
    return sum();
  }

  function sum(): Expression {
    let left = product();
    for (;;) {
      const operator = acceptSymbol('+') ? '+' : acceptSymbol('-') ? '-' : undefined;
      if (operator === undefined) return left;
      left = { kind: 'arithmetic', operator, left, right: product() };
    }
  }

  function product(): Expression {
    let left = operand();
    for (;;) {
      const operator = acceptSymbol('*') ? '*' : acceptSymbol('/') ? '/' : acceptSymbol('%') ? '%' : undefined;
      if (operator === undefined) return left;
      left = { kind: 'arithmetic', operator, left, right: operand() };
    }
  }

  function operand(): Expression {
    if (acceptSymbol('(')) {
      const inner = expression();
      demandSymbol(')');
      return inner;
    }
    if (acceptSymbol('[')) {
      const items = isSymbol(']') ? [] : commaSeparated(() => sum());
      demandSymbol(']');
      return { kind: 'list', items };
    }
    if (acceptSymbol('-')) return { kind: 'literal', value: -number() };
    const token = peek();
    if (token.kind === 'string' || token.kind === 'number') {
      at += 1;
      return { kind: 'literal', value: token.value };
    }
    if (token.kind !== 'word') return fail('a value');
    if (isSymbol('(', 1)) return call();
    return keyword() ?? path();
  }

  function keyword(): Expression | undefined {
    const words = { TRUE: true, FALSE: false, NULL: null, UNDEFINED: undefined };
    for (const [word, value] of Object.entries(words)) {
      if (acceptWord(word)) return { kind: 'literal', value };
    }
    return undefined;
  }

  function call(): Expression {
    const position = peek().position;
    const called = name().toUpperCase();
    if (!(called in FUNCTIONS)) throw new QuerySyntaxError(`Unknown function '${called}'`, position);
    const functionName = called as FunctionName;
    demandSymbol('(');
    const args = isSymbol(')') ? [] : commaSeparated(() => sum());
    demandSymbol(')');
    if (args.length !== FUNCTIONS[functionName]) {
      throw new QuerySyntaxError(`${called} takes ${FUNCTIONS[functionName]} arguments`, position);
    }
    return { kind: 'call', name: functionName, args };
  }

  return { query };
}

/** Clients may begin a path with its source: `devices.deviceId`, of modules too. */
function withoutSource(segments: readonly string[]): readonly string[] {
  const [first, second] = segments.map((segment) => segment.toLowerCase());
  if (first !== 'devices' || segments.length === 1) return segments;
  return second === 'modules' && segments.length > 2 ? segments.slice(2) : segments.slice(1);
}
