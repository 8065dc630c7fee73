import { type IdentityRow, identityEtag, twinEtag } from '../registry/identityRow.ts';
import { UNSET_TIME } from '../times.ts';
import { isJsonObject } from '../twin/twinLimits.ts';
import { twinDocument } from '../wire/identityDocuments.ts';
import type { Expression, Path } from './parseQuery.ts';

/** Finds the value of a path in one twin; undefined where there is none. */
export type Lookup = (segments: readonly string[]) => unknown;

type Root = { readonly name: string; readonly read: (row: IdentityRow) => unknown };

const ROOTS: readonly Root[] = [
  { name: 'deviceId', read: (row) => row.deviceId },
  { name: 'moduleId', read: (row) => (row.moduleId === '' ? undefined : row.moduleId) },
  { name: 'etag', read: twinEtag },
  { name: 'deviceEtag', read: identityEtag },
  { name: 'version', read: (row) => row.twinVersion },
  { name: 'status', read: (row) => row.status },
  { name: 'statusReason', read: (row) => row.statusReason },
  { name: 'statusUpdateTime', read: (row) => row.statusUpdatedTime },
  { name: 'connectionState', read: () => 'Disconnected' },
  { name: 'lastActivityTime', read: () => UNSET_TIME },
  { name: 'cloudToDeviceMessageCount', read: () => 0 },
  { name: 'authenticationType', read: (row) => row.authenticationType },
  { name: 'deviceScope', read: (row) => row.deviceScope ?? undefined },
  { name: 'parentScopes', read: (row) => (row.parentScopes === null ? undefined : JSON.parse(row.parentScopes)) },
  { name: 'capabilities', read: (row) => ({ iotEdge: row.iotEdge === 1 }) },
  { name: 'x509Thumbprint', read: (row) => twinDocument(row).x509Thumbprint },
  {
    name: 'configurations',
    read: (row) => (row.configurations === null ? undefined : JSON.parse(row.configurations)),
  },
  { name: 'tags', read: (row) => JSON.parse(row.tags) },
  { name: 'properties', read: (row) => twinDocument(row).properties },
];
const ROOTS_BY_NAME = new Map(ROOTS.map((root) => [root.name.toLowerCase(), root]));

/** The hub's spelling of a projected identity property: their names are case-insensitive. */
export function outputName(path: Path, alias: string): string {
  const [only, ...more] = path.segments;
  if (more.length > 0 || only !== alias) return alias;
  return ROOTS_BY_NAME.get(alias.toLowerCase())?.name ?? alias;
}

/** A lookup over one row; JSON columns are parsed at most once, and only when asked for. */
export function lookupIn(row: IdentityRow): Lookup {
  const parsed = new Map<string, unknown>();
  return ([first = '', ...rest]) => {
    const root = ROOTS_BY_NAME.get(first.toLowerCase());
    if (root === undefined) return undefined;
    if (!parsed.has(root.name)) parsed.set(root.name, root.read(row));
    let value = parsed.get(root.name);
    for (const segment of rest) value = memberOf(value, segment);
    return value;
  };
}

function memberOf(value: unknown, segment: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, segment) ? value[segment] : undefined;
}

/** Whether a twin satisfies a condition. What is neither true nor false counts as false. */
export function satisfies(condition: Expression, lookup: Lookup): boolean {
  return evaluate(condition, lookup) === true;
}

/** The value of an expression; undefined when it has none. AND, OR and NOT have three values, as in the hub's store. */
export function evaluate(expression: Expression, lookup: Lookup): unknown {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'path':
      return lookup(expression.segments);
    case 'list':
      return expression.items.map((item) => evaluate(item, lookup));
    case 'not': {
      const value = evaluate(expression.of, lookup);
      return typeof value === 'boolean' ? !value : undefined;
    }
    case 'logical':
      return logical(expression, lookup);
    case 'compare':
      return compare(expression.operator, evaluate(expression.left, lookup), evaluate(expression.right, lookup));
    case 'arithmetic':
      return arithmetic(expression.operator, evaluate(expression.left, lookup), evaluate(expression.right, lookup));
    case 'in': {
      const value = evaluate(expression.left, lookup);
      const list = evaluate(expression.list, lookup);
      if (value === undefined || !Array.isArray(list)) return undefined;
      return list.some((item) => compare('=', value, item) === true) !== expression.negated;
    }
    case 'call':
      return call(expression, lookup);
    default: {
      const never: never = expression;
      throw new Error(`Unknown expression ${JSON.stringify(never)}`);
    }
  }
}

function logical(expression: Extract<Expression, { kind: 'logical' }>, lookup: Lookup): boolean | undefined {
  const decisive = expression.operator === 'OR';
  const left = evaluate(expression.left, lookup);
  if (left === decisive) return decisive;
  const right = evaluate(expression.right, lookup);
  if (right === decisive) return decisive;
  return left === !decisive && right === !decisive ? !decisive : undefined;
}

function compare(operator: string, left: unknown, right: unknown): boolean | undefined {
  if (left === undefined || right === undefined) return undefined;
  const scalar = (value: unknown) => value === null || typeof value !== 'object';
  if (!scalar(left) || !scalar(right)) return undefined;
  if (operator === '=') return left === right;
  if (operator === '!=') return left !== right;
  if (typeof left !== typeof right || (typeof left !== 'number' && typeof left !== 'string')) return undefined;
  const [a, b] = [left as number, right as number];
  switch (operator) {
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    default:
      return a >= b;
  }
}

function arithmetic(operator: '+' | '-' | '*' | '/' | '%', left: unknown, right: unknown): number | undefined {
  if (typeof left !== 'number' || typeof right !== 'number') return undefined;
  const results = { '+': left + right, '-': left - right, '*': left * right, '/': left / right, '%': left % right };
  return results[operator];
}

function call(expression: Extract<Expression, { kind: 'call' }>, lookup: Lookup): boolean | undefined {
  const [first, second] = expression.args.map((argument) => evaluate(argument, lookup));
  switch (expression.name) {
    case 'IS_DEFINED':
      return first !== undefined;
    case 'STARTSWITH':
      return typeof first === 'string' && typeof second === 'string' ? first.startsWith(second) : undefined;
    case 'ARRAY_CONTAINS':
      return Array.isArray(first) ? first.some((item) => compare('=', item, second) === true) : undefined;
    default: {
      const never: never = expression.name;
      throw new Error(`Unknown function ${String(never)}`);
    }
  }
}
