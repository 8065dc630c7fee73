import type { Operation } from '../operations/operation.ts';
import { PlainHttpError } from './hubError.ts';

export interface Match {
  readonly operation: Operation;
  readonly params: Readonly<Record<string, string>>;
}

interface Route {
  readonly operation: Operation;
  readonly segments: readonly string[];
}

/**
 * Finds the operation for a request. Segments are cut before they are decoded, so that an id may hold an encoded `/`;
 * a trailing slash is ignored (.NET lists devices with `GET /devices/`). Throws 404 or 405.
 */
export function createRouter(operations: readonly Operation[]): (method: string, path: string) => Match {
  const routes: Route[] = operations.map((operation) => ({ operation, segments: cut(operation.path) }));
  return (method, path) => {
    const segments = cut(path);
    const fitting = routes.filter((route) => fits(route.segments, segments));
    const route = fitting.find(({ operation }) => operation.method === method);
    if (route === undefined) {
      if (fitting.length === 0) throw new PlainHttpError(404, 'GenericNotFound', 'There is no such resource.');
      throw new PlainHttpError(405, 'GenericMethodNotAllowed', `${method} is not allowed here.`);
    }
    const params: Record<string, string> = {};
    for (const [index, name] of route.segments.entries()) {
      if (name.startsWith(':')) params[name.slice(1)] = decode(segments[index] ?? '');
    }
    return { operation: route.operation, params };
  };
}

function cut(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function fits(route: readonly string[], segments: readonly string[]): boolean {
  if (route.length !== segments.length) return false;
  return route.every((name, index) => name.startsWith(':') || name.toLowerCase() === segments[index]?.toLowerCase());
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new PlainHttpError(400, 'ArgumentInvalid', 'The path is not properly URL-encoded.');
  }
}
