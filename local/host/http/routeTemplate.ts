/**
 * Route templates as ASP.NET knows them, the way a function's `route` is written: `devices/{id:int}/{part?}/{*rest}`
 * (https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-templates).
 */
export interface RouteTemplate {
  readonly text: string;
  /** The parameters of a path, decoded; undefined when the path is another's. Unused optional ones are absent. */
  match(path: string): Readonly<Record<string, string>> | undefined;
  /** Sorts before a template that also matches, when it is the more specific one. */
  readonly precedence: string;
  /** Equal for templates that match the same paths. */
  readonly shape: string;
}

const integer = /^[+-]?\d+$/;
const inRange = (low: bigint, high: bigint) => (value: string) =>
  integer.test(value) && BigInt(value.replace('+', '')) >= low && BigInt(value.replace('+', '')) <= high;
const decimal = (value: string) => /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(value);

type Constraint = (value: string) => boolean;

const plainConstraints: Readonly<Record<string, Constraint>> = {
  int: inRange(-(2n ** 31n), 2n ** 31n - 1n),
  long: inRange(-(2n ** 63n), 2n ** 63n - 1n),
  bool: (value) => /^(?:true|false)$/i.test(value),
  guid: (value) => /^\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i.test(value),
  alpha: (value) => /^[a-z]*$/i.test(value),
  decimal,
  double: decimal,
  float: decimal,
  datetime: (value) => !Number.isNaN(Date.parse(value)),
  required: (value) => value !== '',
};

const numberConstraints: Readonly<Record<string, (a: number, b: number | undefined) => Constraint>> = {
  length: (a, b) => (value) => (b === undefined ? value.length === a : value.length >= a && value.length <= b),
  minlength: (a) => (value) => value.length >= a,
  maxlength: (a) => (value) => value.length <= a,
  min: (a) => (value) => integer.test(value) && Number(value) >= a,
  max: (a) => (value) => integer.test(value) && Number(value) <= a,
  range:
    (a, b = a) =>
    (value) =>
      integer.test(value) && Number(value) >= a && Number(value) <= b,
};

interface Parameter {
  readonly name: string;
  readonly constraints: readonly Constraint[];
  readonly constraintText: string;
  readonly optional: boolean;
  readonly catchAll: boolean;
  readonly fallback: string | undefined;
}

function parseParameter(text: string): Parameter {
  const match = /^(\*{0,2})([^:=?*{}]+)((?::[^:=?]+)*)(\?|=.*)?$/.exec(text);
  if (match === null) {
    throw new Error(`"{${text}}" is not a route parameter`);
  }
  const [, stars = '', name = '', constraintText = '', end] = match;
  const constraints = constraintText
    .split(':')
    .slice(1)
    .map((constraint) => parseConstraint(constraint));
  return {
    name,
    constraints,
    constraintText: constraintText.toLowerCase(),
    optional: end === '?',
    catchAll: stars !== '',
    fallback: end?.startsWith('=') ? end.slice(1) : undefined,
  };
}

function parseConstraint(text: string): Constraint {
  const match = /^(\w+)(?:\((-?\d+)(?:,(-?\d+))?\))?$/.exec(text.replaceAll(' ', ''));
  const [, name = '', first, second] = match ?? [];
  const key = name.toLowerCase();
  const found =
    first === undefined
      ? plainConstraints[key]
      : numberConstraints[key]?.(Number(first), second === undefined ? undefined : Number(second));
  if (found === undefined) {
    const known = [...Object.keys(plainConstraints), ...Object.keys(numberConstraints)].join(', ');
    throw new Error(`the constraint "${text}" is not supported (supported: ${known})`);
  }
  return found;
}

const escaped = (literal: string) => literal.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** @throws Error saying what is wrong with the template. */
export function parseRouteTemplate(text: string): RouteTemplate {
  const trimmed = text.replaceAll(/^\/+|\/+$/g, '');
  const segments = trimmed === '' ? [] : trimmed.split('/');
  const parameters: Parameter[] = [];
  let pattern = '';
  let precedence = '';
  let shape = '';
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (segment === '') {
      throw new Error(`route "${text}" has an empty segment`);
    }
    // Parts alternate: literal, parameter, literal, ...
    const parts = segment.split(/\{([^{}]*)\}/);
    if (/[{}]/.test(parts.filter((_part, position) => position % 2 === 0).join(''))) {
      throw new Error(`route "${text}" has unbalanced braces in "${segment}"`);
    }
    const own: Parameter[] = [];
    for (const [position, part] of parts.entries()) {
      if (position % 2 === 1) {
        const parameter = parseParameter(part);
        if (parameters.some((other) => other.name.toLowerCase() === parameter.name.toLowerCase())) {
          throw new Error(`route "${text}" has the parameter "${parameter.name}" twice`);
        }
        parameters.push(parameter);
        own.push(parameter);
      }
    }
    const [only] = own;
    const whole = own.length === 1 && parts[0] === '' && parts[2] === '' ? only : undefined;
    if (own.some((parameter) => parameter.catchAll) && !(last && whole?.catchAll)) {
      throw new Error(`route "${text}": a catch-all parameter must be the whole last segment`);
    }
    if (own.some((parameter) => parameter.optional || parameter.fallback !== undefined) && !(last && whole)) {
      throw new Error(`route "${text}": an optional parameter must be the whole last segment`);
    }

    if (own.length === 0) {
      pattern += `/${escaped(segment)}`;
      precedence += '1';
      shape += `/${segment.toLowerCase()}`;
    } else if (whole === undefined) {
      pattern += `/${parts.map((part, position) => (position % 2 === 1 ? '([^/]+?)' : escaped(part))).join('')}`;
      precedence += '2';
      shape += `/${parts.map((part, position) => (position % 2 === 1 ? '{}' : part.toLowerCase())).join('')}`;
    } else if (whole.catchAll) {
      pattern += '(?:/(.*))?';
      precedence += whole.constraints.length > 0 ? '4' : '5';
      shape += `/{*${whole.constraintText}}`;
    } else {
      pattern += whole.optional || whole.fallback !== undefined ? '(?:/([^/]+))?' : '/([^/]+)';
      precedence += whole.constraints.length > 0 ? '2' : '3';
      shape += `/{${whole.constraintText}}`;
    }
  }
  // Literals match without regard to case, as ASP.NET's do.
  const regex = new RegExp(`^${pattern}/?$`, 'i');

  return {
    text,
    precedence,
    shape,
    match(path) {
      const match = regex.exec(decodedSegments(path));
      if (match === null) {
        return undefined;
      }
      const values: Record<string, string> = {};
      for (const [index, parameter] of parameters.entries()) {
        const value = match[index + 1] || parameter.fallback;
        if (value === undefined) {
          continue;
        }
        if (!parameter.constraints.every((accepts) => accepts(value))) {
          return undefined;
        }
        values[parameter.name] = value;
      }
      return values;
    },
  };
}

/** The path with its percent-encoding undone, except for slashes, which would make other segments. */
function decodedSegments(path: string): string {
  return path
    .split('/')
    .map((segment) => {
      try {
        return decodeURIComponent(segment).replaceAll('/', '%2F');
      } catch {
        return segment;
      }
    })
    .join('/');
}
