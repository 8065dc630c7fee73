import { HubError } from '../http/hubError.ts';
import { type Lookup, satisfies } from '../query/evaluate.ts';
import { type Expression, parseQuery } from '../query/parseQuery.ts';
import { QuerySyntaxError } from '../query/tokens.ts';
import type { JsonObject } from '../twin/twinLimits.ts';

/** Which twins a configuration targets. */
export interface TargetCondition {
  /** The condition without what module content begins with; '' when every twin is targeted, undefined when none is. */
  readonly text: string | undefined;
  readonly matches: (lookup: Lookup) => boolean;
}

/**
 * A target condition is `*` (every twin), empty (none), or a condition over deviceId, tags and reported properties; of
 * module content it begins with `FROM devices.modules WHERE` and may name moduleId (Azure docs, "Automatic device and
 * module management"; of the empty one `az iot hub configuration create --help`). Throws HubError.
 */
export function parseTargetCondition(given: string, content: JsonObject): TargetCondition {
  const isOfModules = 'moduleContent' in content;
  const prefix = isOfModules ? /^\s*from\s+devices\.modules\s+where\s+/i.exec(given)?.[0] : undefined;
  const text = given.slice(prefix?.length ?? 0).trim();
  if (text === '') return { text: undefined, matches: () => false };
  if (text === '*') return { text: '', matches: () => true };
  const invalid = (why: string) =>
    new HubError('InvalidConfigurationTargetCondition', `The target condition is invalid: ${why}.`);
  let where: Expression | undefined;
  try {
    where = parseQuery(`SELECT * FROM devices WHERE ${text}`).where;
  } catch (error) {
    if (error instanceof QuerySyntaxError) throw invalid(error.message);
    throw error;
  }
  if (where === undefined) throw invalid('it is no condition');
  const condition = where;
  for (const segments of pathsOf(condition)) {
    const [root = '', second] = segments.map((segment) => segment.toLowerCase());
    const named = root === 'deviceid' || root === 'tags' || (root === 'moduleid' && prefix !== undefined);
    const allowed = named || (root === 'properties' && second === 'reported');
    if (!allowed) throw invalid(`'${segments.join('.')}' is none of deviceId, tags and properties.reported`);
  }
  return { text, matches: (lookup) => satisfies(condition, lookup) };
}

function pathsOf(expression: Expression): (readonly string[])[] {
  switch (expression.kind) {
    case 'literal':
      return [];
    case 'path':
      return [expression.segments];
    case 'list':
      return expression.items.flatMap(pathsOf);
    case 'not':
      return pathsOf(expression.of);
    case 'in':
      return [...pathsOf(expression.left), ...pathsOf(expression.list)];
    case 'call':
      return expression.args.flatMap(pathsOf);
    default:
      return [...pathsOf(expression.left), ...pathsOf(expression.right)];
  }
}
